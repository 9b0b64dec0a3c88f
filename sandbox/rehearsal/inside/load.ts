import { kindOf } from "../../../stores/registry.ts";
import { streamDump } from "../own-data/client.ts";
import type { Dump } from "../own-data/dump.ts";
import { storePassword } from "./secret.ts";

export interface LoadRequest {
    region: string;
    secret: string;
    host: string;
    database: string;
    dump: Dump;
}

/** Streams a dump into a store as its application's user, over the wire. @returns what the client said when the server refused it */
export async function load(
    _: unknown,
    { region, secret, host, database, dump }: LoadRequest,
): Promise<{ seconds: number; refused?: string }> {
    const password = await storePassword({ region, secret }, "app");
    return streamDump(dump, { host, port: kindOf({ engine: dump.kind }).server.port, database, password });
}
