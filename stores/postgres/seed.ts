import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProgram } from "../program.ts";
import { connectPostgres } from "./client.ts";
import { accesses, postgresAccess, type Access } from "./server.ts";
import type { DatabasePlace } from "../place.ts";

/** Name of the slot that keeps the peer's log for this site. How much it may keep is the server's `max_slot_wal_keep_size`. */
const slotOf = (place: DatabasePlace): string => `lifeboat_${place.site}`;

const passFile = (place: DatabasePlace): string => join(place.volume, "replication.pgpass");

/** Makes the slot; one that has lost what it should keep is made anew. One that somebody uses is left, and the copy then fails. */
async function makeSlot(place: DatabasePlace): Promise<void> {
    const client = await connectPostgres({
        ...place.peer,
        user: "replication",
        password: place.password("replication"),
        database: "postgres",
    });
    try {
        const slot = slotOf(place);
        await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active", [
            slot,
        ]);
        await client.query(
            `SELECT pg_create_physical_replication_slot($1, true)
             WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)`,
            [slot],
        );
    } finally {
        await client.end();
    }
}

/** Closed in both ways that the guard opens it by. Whatever the setting was, the last line wins; the guard's ALTER SYSTEM writes the file anew. */
export function startReadOnly(data: string): void {
    setAccess(data, "closed");
    const file = join(data, "postgresql.auto.conf");
    const line = "default_transaction_read_only = 'on'\n";
    if (!readFileSync(file, "utf8").endsWith(line)) appendFileSync(file, `\n${line}`, { flush: true });
}

const accessFile = (data: string): string => join(data, "pg_hba.conf");

/** Who may log in, from the server's next reload on. A crash may leave a part of it, which the server takes for no text at all, and which is none of ours to `accessOf`. */
export const setAccess = (data: string, access: Access): void =>
    writeFileSync(accessFile(data), postgresAccess(access), { flush: true, mode: 0o600 });

/** Undefined for a text that is none of ours. */
export function accessOf(data: string): Access | undefined {
    const text = readFileSync(accessFile(data), "utf8");
    return accesses.find((access) => postgresAccess(access) === text);
}

/** When the files that say who may write were changed last, in ms since 1970. */
export const changedAt = (data: string): number =>
    Math.max(...[accessFile(data), join(data, "postgresql.auto.conf")].map((file) => statSync(file).mtimeMs));

/** The replica's password file follows the Secret, at every start: libpq wants it 0600 and its own. */
export function prepareReplica(place: DatabasePlace): void {
    const escaped = place.password("replication").replaceAll(/[\\:]/g, "\\$&");
    const draft = `${passFile(place)}.new`;
    writeFileSync(draft, `*:*:*:replication:${escaped}\n`, { mode: 0o600 });
    renameSync(draft, passFile(place));
}

/** Copies the peer's whole data directory, and sets it up to follow the peer. What an earlier try left is wiped. */
export async function seedPostgres(place: DatabasePlace, data: string, signal: AbortSignal): Promise<void> {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { mode: 0o700 });
    prepareReplica(place);
    await makeSlot(place);
    place.note(`${place.store}: copying the data directory of ${place.peer.host}`);
    const copy = startProgram(
        "pg_basebackup",
        [`--pgdata=${data}`, "--wal-method=stream", `--slot=${slotOf(place)}`, "--checkpoint=fast", "--no-password"],
        {
            env: {
                PGHOST: place.peer.host,
                PGPORT: String(place.peer.port),
                PGUSER: "replication",
                PGPASSFILE: passFile(place),
                PGCONNECT_TIMEOUT: "5",
            },
            signal,
        },
    );
    copy.stdin.end();
    copy.stdout.resume();
    await copy.ended;
    const connection = [
        `host=${place.peer.host}`,
        `port=${place.peer.port}`,
        "user=replication",
        `passfile=${passFile(place)}`,
        `application_name=${place.site}`,
        // A peer that has vanished is noticed within seconds, not hours.
        "connect_timeout=5 keepalives_idle=5 keepalives_interval=2 keepalives_count=3",
    ].join(" ");
    appendFileSync(
        join(data, "postgresql.auto.conf"),
        `\nprimary_conninfo = '${connection.replaceAll("'", "''")}'\nprimary_slot_name = '${slotOf(place)}'\n`,
        { flush: true },
    );
    startReadOnly(data);
    writeFileSync(join(data, "standby.signal"), "", { flush: true });
}
