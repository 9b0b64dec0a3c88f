import pg from "pg";
import { passwords } from "./pod.ts";
import { failbackSuite, type Statements } from "./failback.ts";
import { pairSuite } from "./pair.ts";

async function connect(port: number, user: string, password: string): Promise<pg.Client> {
    const client = new pg.Client({
        host: "127.0.0.1",
        port,
        user: user === "superuser" ? "postgres" : user,
        password,
        database: "shop",
        connectionTimeoutMillis: 3000,
    });
    client.on("error", () => {});
    await client.connect();
    return client;
}

const run: Statements = async (port, user, password, statements) => {
    const client = await connect(port, user, password);
    try {
        for (const statement of statements) await client.query(statement);
    } finally {
        await client.end();
    }
};

pairSuite("postgres", {
    run,
    async orders(port) {
        const client = await connect(port, "backup", passwords.backup);
        try {
            const { rows } = await client.query<{ number: number }>("SELECT number FROM orders ORDER BY 1");
            return rows.map(({ number }) => number);
        } finally {
            await client.end();
        }
    },
    async session(port) {
        const client = await connect(port, "app", passwords.app);
        return {
            alive: () =>
                client.query("SELECT 1").then(
                    () => true,
                    () => false,
                ),
            end: () => client.end().catch(() => {}),
        };
    },
});

failbackSuite("postgres", "bytea", run);
