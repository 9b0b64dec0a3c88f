import { createConnection } from "mysql2/promise";
import pg from "pg";
import type { Engine } from "../../engines.ts";
import type { Row } from "../comparison.ts";
import { storePassword } from "./secret.ts";

export interface RowsRequest {
    region: string;
    stores: { store: string; kind: Engine; database: string; host: string; secret: string }[];
}

const query = "select number, customer from orders order by number";

/** Reads every order of each database, row by row and over the wire, as the user who may read in a passive site too. */
export async function rows(_: unknown, { region, stores }: RowsRequest): Promise<Record<string, Row[]>> {
    const read = await Promise.all(
        stores.map(async ({ store, kind, database, host, secret }): Promise<[string, Row[]]> => {
            const password = await storePassword({ region, secret }, "backup");
            return [store, await readers[kind]({ host, user: "backup", password, database })];
        }),
    );
    return Object.fromEntries(read);
}

interface Login {
    host: string;
    user: string;
    password: string;
    database: string;
}
const plain = (found: readonly { number: unknown; customer: unknown }[]): Row[] =>
    found.map(({ number, customer }) => ({ number: Number(number), customer: String(customer) }));

const readers: Record<Engine, (login: Login) => Promise<Row[]>> = {
    async mariadb(login) {
        const connection = await createConnection({ ...login, connectTimeout: 5000 });
        try {
            const [found] = await connection.query(query);
            return plain(found as { number: unknown; customer: unknown }[]);
        } finally {
            await connection.end();
        }
    },
    async postgres(login) {
        const client = new pg.Client({ ...login, connectionTimeoutMillis: 5000, query_timeout: 60_000 });
        await client.connect();
        try {
            return plain((await client.query<{ number: unknown; customer: unknown }>(query)).rows);
        } finally {
            await client.end();
        }
    },
};
