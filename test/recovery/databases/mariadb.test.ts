import mysql from "mysql2/promise";
import { passwords } from "./pod.ts";
import { failbackSuite, type Statements } from "./failback.ts";
import { pairSuite } from "./pair.ts";

const connect = (port: number, user: string, password: string) =>
    mysql.createConnection({
        host: "127.0.0.1",
        port,
        user: user === "superuser" ? "root" : user,
        password,
        database: "shop",
        connectTimeout: 3000,
    });

const run: Statements = async (port, user, password, statements) => {
    const connection = await connect(port, user, password);
    try {
        for (const statement of statements) await connection.query(statement);
    } finally {
        connection.destroy();
    }
};

pairSuite("mariadb", {
    run,
    async orders(port) {
        const connection = await connect(port, "backup", passwords.backup);
        try {
            const [rows] = await connection.query("SELECT number FROM orders ORDER BY 1");
            return (rows as { number: number }[]).map(({ number }) => number);
        } finally {
            connection.destroy();
        }
    },
    async session(port) {
        const connection = await connect(port, "app", passwords.app);
        connection.on("error", () => {});
        return {
            alive: () =>
                connection.query("SELECT 1").then(
                    () => true,
                    () => false,
                ),
            end: async () => connection.destroy(),
        };
    },
});

failbackSuite("mariadb", "varbinary(20)", run);
