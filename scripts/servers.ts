import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddress } from "../stores/adapter.ts";
import type { StoreKind } from "../stores/kind.ts";
import { Failure } from "../model/failure.ts";
import { passwordDirectory, type PasswordName } from "../model/servers.ts";

/**
 * A password of a store, from its file: /etc/lifeboat/stores/STORE/NAME, where a pod has the store's Secret mounted, or in the folder that
 * LIFEBOAT_PASSWORDS names.
 */
export function passwordOf(store: string, name: PasswordName): string {
    const file = join(process.env["LIFEBOAT_PASSWORDS"] || passwordDirectory(store), name);
    try {
        return readFileSync(file, "utf8").replace(/\r?\n$/, "");
    } catch (error) {
        throw new Failure(
            "prerequisite",
            `the password of ${store}'s user ${name} cannot be read: ${(error as Error).message}`,
            "mount the store's Secret, or name a folder with the password files in LIFEBOAT_PASSWORDS",
        );
    }
}

/**
 * A server by its URL, as in `mariadb://root@127.0.0.1:3306/orders`. Passwords do not belong into a command line: the user's is read from its file.
 * @throws Failure("usage") for another kind of server, or a URL with a password
 */
export function serverAt(url: string, store: string, kind: StoreKind): ServerAddress {
    const example = `write ${kind.schemes[0]}://USER@HOST:PORT/DATABASE`;
    let parsed: URL;
    try {
        parsed = new URL(url);
    } catch {
        throw new Failure("usage", `"${url}" is not the URL of a server`, example);
    }
    if (!kind.schemes.includes(parsed.protocol.slice(0, -1)))
        throw new Failure("usage", `${store} is ${kind.title}, and "${url}" is not`, example);
    if (parsed.password)
        throw new Failure(
            "usage",
            "everybody on the machine can read a password in a command line",
            `${example}, and put the password into a file`,
        );
    const user = decodeURIComponent(parsed.username) || kind.server.superuser;
    const database = decodeURIComponent(parsed.pathname.slice(1));
    if (!parsed.hostname || !database) throw new Failure("usage", `"${url}" lacks the ${database ? "host" : "database"}`, example);
    return {
        host: parsed.hostname,
        port: parsed.port ? Number(parsed.port) : kind.server.port,
        user,
        password: passwordOf(store, user === kind.server.superuser ? "root" : (user as PasswordName)),
        database,
    };
}
