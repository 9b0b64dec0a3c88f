import { rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { exitCodes, Failure, type ExitName } from "../../model/failure.ts";
import { guardSocket } from "../../model/servers.ts";
import type { Guard, GuardStatus, PromotedStore, RejoinedStore } from "./guard.ts";

const problem = z.object({
    exit: z.enum(Object.keys(exitCodes) as [ExitName, ...ExitName[]]),
    message: z.string(),
    next: z.string(),
});

/** Answers what is asked of a guard that runs, on a unix socket beside the server's own: whoever may enter its container may ask. */
export async function serveGuard(directory: string, guard: Pick<Guard, "promote" | "rejoin" | "status">): Promise<Server> {
    const path = join(directory, guardSocket);
    rmSync(path, { force: true }); // of a guard that was killed
    const questions: Readonly<Record<string, () => Promise<unknown>>> = {
        "POST /promote": guard.promote,
        "POST /rejoin": guard.rejoin,
        "GET /status": guard.status,
    };
    const server = createServer((asked, answer) => {
        const question = questions[`${asked.method} ${asked.url}`];
        const say = (status: number, body: unknown) =>
            answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        if (!question) return void say(404, { exit: "usage", message: `a guard is not asked ${asked.url}`, next: "ask /status" });
        question().then(
            (result) => say(200, result),
            (error: unknown) => {
                const { exit, message, next } =
                    error instanceof Failure
                        ? error
                        : { exit: "unavailable" as const, message: (error as Error).message, next: "see the guard's log" };
                say(409, { exit, message, next });
            },
        );
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    return server;
}

/** The guard that runs beside a server, asked from another process in its pod. @throws Failure that the guard answered, or "unavailable" where none runs */
export function runningGuard(directory: string) {
    const ask = (method: string, path: string): Promise<unknown> =>
        new Promise((resolve, reject) => {
            const socketPath = join(directory, guardSocket);
            request({ socketPath, method, path }, (answer) => {
                let text = "";
                answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
                answer.on("end", () => {
                    const body: unknown = JSON.parse(text);
                    if (answer.statusCode === 200) return resolve(body);
                    const { exit, message, next } = problem.parse(body);
                    reject(new Failure(exit, message, next));
                });
                answer.on("error", reject);
            })
                .on("error", (error) =>
                    reject(
                        new Failure(
                            "unavailable",
                            `no guard answers on ${socketPath}: ${error.message}`,
                            "see the log of the container `guard`",
                            {
                                cause: error,
                            },
                        ),
                    ),
                )
                .end();
        });
    return {
        promote: () => ask("POST", "/promote") as Promise<PromotedStore>,
        rejoin: () => ask("POST", "/rejoin") as Promise<RejoinedStore>,
        status: () => ask("GET", "/status") as Promise<GuardStatus>,
    };
}
