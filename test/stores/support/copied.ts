import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Moment } from "../../../model/moment.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import type { CopyFacts, PhysicalStore, ScratchServer } from "../../../stores/physical.ts";
import type { Server } from "../../support/servers.ts";

export const never = new AbortController().signal;

/** A directory of the test's own, with what it makes in it. */
export class Bench {
    readonly directory = mkdtempSync(join(tmpdir(), "lifeboat-physical-"));
    #made = 0;
    constructor() {
        chmodSync(this.directory, 0o711);
    }
    room(): string {
        const room = join(this.directory, String(++this.#made));
        mkdirSync(room, { mode: 0o700 });
        return room;
    }
    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}

/** A server's superuser, over its socket. */
export const superuser = ({ rootPassword, port }: Server, user: string, socketDirectory: string, database: string): ServerAddress => ({
    ...{ host: "localhost", port, user, password: rootPassword, database, socketDirectory },
});

/** Copies a server and unpacks the copy. */
export async function copied(
    physical: PhysicalStore,
    server: ServerAddress,
    data: string,
    bench: Bench,
): Promise<{ directory: string; facts: CopyFacts }> {
    const directory = bench.room();
    const copy = await physical.copy({ server, data, scratch: bench.room() }, never);
    const unpack = physical.unpack(directory, never);
    await pipeline(copy.program.stdout, unpack.stdin);
    await copy.program.ended;
    await unpack.ended;
    return { directory, facts: await copy.facts() };
}

export async function started(
    physical: PhysicalStore,
    directory: string,
    until: Moment,
    log?: { directory: string; from: NonNullable<CopyFacts["log"]> },
): Promise<ScratchServer> {
    return physical.start({ directory, until, ...(log ? { log } : {}) }, never);
}
