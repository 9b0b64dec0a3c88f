import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerAddress } from "../../../stores/adapter.ts";
import { connectMariadb } from "../../../stores/mariadb/client.ts";
import { physical } from "../../../stores/mariadb/physical.ts";
import { covers } from "../../../stores/mariadb/position.ts";
import type { Contents } from "../../../stores/physical.ts";
import type { Bench } from "../support/copied.ts";

/** Statements in one session; rows of the last as text. */
export async function query(address: ServerAddress, ...statements: string[]): Promise<string[][]> {
    const connection = await connectMariadb(address, address.database);
    try {
        let rows: object[] = [];
        for (const statement of statements) {
            const [answer] = await connection.query(statement);
            if (Array.isArray(answer)) rows = answer as object[];
        }
        return rows.map((row) => Object.values(row).map(String));
    } finally {
        connection.destroy();
    }
}

export const positionOf = async (address: ServerAddress) => (await query(address, "SELECT @@gtid_binlog_pos"))[0]![0]!;

export const sorted = ({ relations, schema }: Contents) => ({
    schema,
    relations: relations.toSorted((a, b) => (`${a.database}.${a.name}` < `${b.database}.${b.name}` ? -1 : 1)),
});

/** Receives a server's log until it holds a position, or for a second; files of a directory of their own. */
export async function receivedLog(bench: Bench, server: ServerAddress, file: string, position: string | undefined): Promise<string> {
    const directory = bench.room();
    const stop = new AbortController();
    const receiver = await physical.log.receive(server, file, directory, stop.signal);
    try {
        for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
            for (const { file: name } of await receiver.files()) {
                const { position: reached = "" } = await physical.log.reach(join(directory, name), 0);
                if (position !== undefined && covers(reached, position)) return directory;
            }
            if (position === undefined && Date.now() > deadline - 19_000) return directory;
        }
        assert.fail(`the log did not reach ${position}`);
    } finally {
        stop.abort();
        await receiver.ended.catch(() => undefined);
    }
}
