import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { backup } from "../../backup/backup.ts";
import { standpoint } from "../../scripts/standpoint.ts";
import { kindOf } from "../../stores/registry.ts";

/** Takes a copy of a MariaDB server on this machine, as the archive beside it does, and prints its manifest. Arguments: store, directory, socket, port, password. */
const [store = "", directory = "", socket = "", port = "", password = ""] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "lifeboat-take-point-"));
try {
    const server = {
        ...{ host: "localhost", port: Number(port), user: kindOf({ engine: "mariadb" }).server.superuser, password },
        ...{ database: "mysql", socketDirectory: dirname(socket) },
    };
    const source = { server, data: join(directory, "data"), scratch };
    const { manifest } = await backup(await standpoint(), store, source, {
        signal: AbortSignal.timeout(60_000),
        note: (line) => console.error(line),
    });
    console.log(JSON.stringify(manifest));
} finally {
    rmSync(scratch, { recursive: true });
}
