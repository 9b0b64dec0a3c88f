/**
 * Loaded into `lifeboat activate` or `failback` by a test (NODE_OPTIONS=--import): kills that process with SIGKILL at one point of one step, told by what it writes into its
 * journal. LIFEBOAT_TEST_KILL is `STEP WHEN`:
 * - before: the step stands in the journal as begun, nothing of its effect has taken place;
 * - during: its effect is under way (15 ms after its first call; steps that run `pulumi up` 2.5 s after their beginning);
 * - after: its effect has taken place, and the journal does not say so yet.
 */
import { ClientRequest } from "node:http";

const [step, when] = (process.env["LIFEBOAT_TEST_KILL"] ?? "").split(" ");
const die = () => process.kill(process.pid, "SIGKILL");
let begun = false;
/** A step whose effect is `pulumi up`: no call of this process tells that it runs. */
const updates = ["scale", "rebuild", "retire"].includes(step ?? "");

/** What a request writes into the journal, if it does. */
function entryOf(body: unknown): { kind: string; step?: string } | undefined {
    if (typeof body !== "string" && !(body instanceof Uint8Array)) return undefined;
    const text = typeof body === "string" ? body : Buffer.from(body).toString();
    if (!text.startsWith("{") || !text.includes('"event"')) return undefined;
    return (JSON.parse(text) as { event: { kind: string; step?: string } }).event;
}

type Send = (this: ClientRequest, ...rest: unknown[]) => unknown;
function watch(name: "end" | "write"): void {
    const real = ClientRequest.prototype[name] as Send;
    (ClientRequest.prototype as unknown as Record<string, Send>)[name] = function (...rest) {
        const journaling = this.path.includes("/journal/");
        const entry = journaling && this.method === "PUT" ? entryOf(rest[0]) : undefined;
        if (entry?.step === step) {
            if (entry?.kind === "done" || entry?.kind === "failed") die();
            if (entry?.kind === "begun")
                this.once("response", (response) => {
                    response.once("end", () => {
                        if (when === "before") die();
                        begun = true;
                        if (when === "during" && updates) setTimeout(die, 2500);
                    });
                });
        } else if (begun && when === "during" && !updates && !journaling) setTimeout(die, 15);
        return real.apply(this, rest);
    };
}

// Only the process that writes the journal: what it starts inherits the environment.
if (step !== undefined && when !== undefined && ["activate", "failback"].some((command) => process.argv.includes(command))) {
    watch("end");
    watch("write");
}
