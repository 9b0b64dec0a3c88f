import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import type { Moment } from "../../../model/moment.ts";
import type { ServerAddress } from "../../../stores/adapter.ts";
import type { Contents, CopyFacts, ScratchServer } from "../../../stores/physical.ts";
import { physical } from "../../../stores/postgres/physical.ts";
import type { Server } from "../../support/servers.ts";

export const never = new AbortController().signal;

/** A directory of the test's own. Rooms in it are nobody's where the test is root: PostgreSQL refuses to be root, and runs as whom its directory belongs to. */
export class Bench {
    readonly directory = mkdtempSync(join(tmpdir(), "lifeboat-physical-"));
    #made = 0;
    constructor() {
        chmodSync(this.directory, 0o711);
    }
    room(): string {
        const room = join(this.directory, String(++this.#made));
        mkdirSync(room, { mode: 0o700 });
        if (process.getuid?.() === 0) chownSync(room, 65534, 65534);
        return room;
    }
    remove(): void {
        rmSync(this.directory, { recursive: true, force: true });
    }
}

export const superuser = ({ rootPassword, port, socket }: Server): ServerAddress => ({
    ...{ host: "localhost", port, user: "postgres", password: rootPassword, database: "postgres", socketDirectory: socket },
});

export async function open(server: ServerAddress, database = "postgres"): Promise<pg.Client> {
    const client = new pg.Client({
        host: server.socketDirectory!,
        port: server.port,
        user: server.user,
        password: server.password,
        database,
    });
    client.on("error", () => {});
    await client.connect();
    return client;
}

/** Runs statements one after the other, each on its own. @returns rows of the last one */
export async function run(server: ServerAddress, database: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
    const client = await open(server, database);
    try {
        let rows: Record<string, unknown>[] = [];
        for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
        return rows;
    } finally {
        await client.end();
    }
}

export interface Copied {
    readonly directory: string;
    readonly facts: CopyFacts;
}

/** Copies a server and unpacks the copy. */
export async function copied(server: ServerAddress, bench: Bench): Promise<Copied> {
    const directory = bench.room();
    const copy = await physical.copy({ server, data: undefined, scratch: bench.room() }, never);
    const unpack = physical.unpack(directory, never);
    await pipeline(copy.program.stdout, unpack.stdin);
    await copy.program.ended;
    await unpack.ended;
    return { directory, facts: await copy.facts() };
}

export const started = (
    directory: string,
    until: Moment,
    log?: { directory: string; from: NonNullable<CopyFacts["log"]> },
): Promise<ScratchServer> => physical.start({ directory, until, ...(log ? { log } : {}) }, never);

export async function contentsOf(server: ServerAddress): Promise<Contents> {
    const contents = await physical.contents(server, never);
    if (contents === undefined) throw new Error("no moment was had");
    return contents;
}
