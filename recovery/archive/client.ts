import type { ClientRequest, IncomingMessage } from "node:http";
import { request as ask } from "node:https";
import { createInterface } from "node:readline";
import { Transform, type Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../../model/failure.ts";
import type { CopyFacts } from "../../stores/physical.ts";
import { clientSide, connectLimit, probeAfter, type Identity } from "./channel.ts";
import { facts as factsMessage, factsTrailer, failureOf, failureTrailer, line, readFailure, requests } from "./messages.ts";

export interface ArchiveAddress {
    readonly store: string;
    readonly host: string;
    readonly port: number;
    readonly identity: Identity;
    readonly password: string;
    /** An archive that says nothing for so long (ms) is given up. Default 60 s for a backup, whose archive says that it lives, and 10 min for a copy, which waits for locks. */
    readonly silence?: number;
}

const look = "see the log of the container `archive` in the pod of the store's server";

/** @returns the answer's head; a status other than 200 is thrown as the failure that it tells */
async function open(address: ArchiveAddress, what: string, silence: number, signal: AbortSignal): Promise<IncomingMessage> {
    const { host, port, identity, password, store } = address;
    const [method, path] = what.split(" ");
    const unreachable = (error: Error) =>
        new Failure("unavailable", `the archive of ${store} at ${host}:${port} does not answer: ${error.message}`, look, { cause: error });
    const asked: ClientRequest = ask({ host, port, method, path, agent: false, signal, ...clientSide(identity, password) });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const limit = setTimeout(() => asked.destroy(new Error(`no connection within ${connectLimit / 1000} s`)), connectLimit);
        asked.on("socket", (socket) => {
            socket.setKeepAlive(true, probeAfter);
            socket.once("secureConnect", () => {
                clearTimeout(limit);
                socket.setTimeout(silence, () => asked.destroy(new Error(`it was silent for ${silence / 1000} s`)));
            });
        });
        asked.on("response", resolve);
        asked.on("close", () => clearTimeout(limit));
        // Stays for the request's whole life: what fails later is told by the answer's stream.
        asked.on("error", (error) => reject(signal.aborted ? (signal.reason as Error) : unreachable(explained(error, identity))));
        asked.end();
    });
    if (answer.statusCode === 200) return answer;
    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += part as string;
    throw readFailure(text);
}

/** What OpenSSL calls a key that is not the same at both ends, in words. */
function explained(error: Error, identity: Identity): Error {
    return /bad record mac|decrypt error|unknown psk identity/i.test(error.message)
        ? new Error(`it does not take the password of ${identity}`, { cause: error })
        : error;
}

/**
 * Has the archive take a backup.
 * @returns its report
 * @throws Failure as the archive's own, or "unavailable" where the answer broke off: then nobody knows whether there is a point
 */
export async function askForBackup(address: ArchiveAddress, note: (line: string) => void, signal: AbortSignal): Promise<unknown> {
    const brokeOff = (why: string) =>
        new Failure(
            "unavailable",
            `the archive of ${address.store} broke off in the middle of a backup: ${why}`,
            `${look}; then run it again`,
        );
    const answer = await open(address, requests.backup, address.silence ?? 60_000, signal);
    try {
        for await (const text of createInterface({ input: answer, crlfDelay: Infinity })) {
            const said = line.parse(JSON.parse(text));
            if ("note" in said) note(said.note);
            else if ("failure" in said) throw failureOf(said.failure);
            else if ("report" in said) return said.report;
        }
    } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw error instanceof Failure ? error : brokeOff((error as Error).message);
    } finally {
        answer.destroy();
    }
    if (signal.aborted) throw signal.reason;
    throw brokeOff("it said neither a report nor a failure");
}

export interface ReceivedCopy {
    /** Ends well only when every byte has come and the archive has said that the copy is whole; it fails otherwise. */
    readonly stream: Readable;
    /** After the stream has ended. */
    facts(): Promise<CopyFacts>;
}

/** Has the archive send a full copy of the server beside it. @throws Failure as the archive's own, or "unavailable" where it does not answer */
export async function askForCopy(address: ArchiveAddress, signal: AbortSignal): Promise<ReceivedCopy> {
    const answer = await open(address, requests.copy, address.silence ?? 600_000, signal);
    const found = Promise.withResolvers<CopyFacts>();
    found.promise.catch(() => {}); // whoever asks for facts is told
    let bytes = 0;
    const brokeOff = (why: Error): Error => {
        if (signal.aborted) return signal.reason as Error;
        if (why instanceof Failure) return why;
        return new Failure("unavailable", `the copy of ${address.store} broke off after ${bytes} bytes: ${why.message}`, look, {
            cause: why,
        });
    };
    const checked = new Transform({
        transform(chunk: Buffer, _, next) {
            bytes += chunk.length;
            next(undefined, chunk);
        },
        flush(next) {
            try {
                found.resolve(wholeCopy(answer, bytes));
                next();
            } catch (error) {
                next(brokeOff(error as Error));
            }
        },
    });
    // Not by pipeline(), which would tell the reader of a broken connection in words of its own.
    answer.on("error", (error) => checked.destroy(brokeOff(error)));
    answer.on("close", () => {
        if (!answer.readableEnded) checked.destroy(brokeOff(new Error("its end did not come")));
    });
    checked.on("error", found.reject);
    checked.on("close", () => {
        answer.destroy();
        found.reject(new Error("the copy was given up by its reader"));
    });
    answer.pipe(checked);
    return { stream: checked, facts: () => found.promise };
}

function wholeCopy(answer: IncomingMessage, bytes: number): CopyFacts {
    const failed = answer.trailers[failureTrailer];
    if (failed !== undefined) throw readFailure(failed);
    const said = answer.trailers[factsTrailer];
    if (!answer.complete || said === undefined) throw new Error("its end did not come");
    const whole = factsMessage.parse(JSON.parse(said));
    if (whole.bytes !== bytes) throw new Error(`${bytes} bytes came of ${whole.bytes}`);
    const { version, position, log, next } = whole.facts;
    return { version, position, ...(log === undefined ? {} : { log }), ...(next === undefined ? {} : { next }) };
}

/** Asks again while another copy is under way, or the archive is not there yet. */
export async function copyWhenItMay(
    address: ArchiveAddress,
    note: (line: string) => void,
    signal: AbortSignal,
    patience = 300_000,
): Promise<ReceivedCopy> {
    const until = performance.now() + patience;
    for (let last: string | undefined; ; await sleep(3_000, undefined, { signal }))
        try {
            return await askForCopy(address, signal);
        } catch (error) {
            if (!(error instanceof Failure) || error.exit !== "unavailable" || performance.now() > until) throw error;
            if (error.message !== last) note(`${address.store}: no copy yet: ${error.message}`);
            last = error.message;
        }
}
