import mysql from "mysql2/promise";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { rowsOf } from "./client.ts";

interface Event {
    db: string;
    name: string;
    definer: string;
    mode: string;
    zone: string;
    charset: string;
    collation: string;
}

/** "db.name" in the engine's quoting. */
const nameOf = ({ db, name }: Pick<Event, "db" | "name">): string => `${mysql.escapeId(db, true)}.${mysql.escapeId(name, true)}`;

/** Events of a server that are switched off, as this server cannot tell of those that came by replication: a replica writes down every one as SLAVESIDE_DISABLED. */
export async function disabledEvents(connection: mysql.Connection): Promise<string[]> {
    const found = await rowsOf<Pick<Event, "db" | "name">>(
        connection,
        "SELECT event_schema AS db, event_name AS name FROM information_schema.events WHERE status = 'DISABLED' ORDER BY 1, 2",
    );
    return found.map(nameOf);
}

const listFile = (volume: string): string => join(volume, "events-off.json");
const list = z.array(z.string());

/** Events that are switched off at the peer, as it last said. Empty where it never did: then all that came by replication count as on. */
export function rememberedEvents(volume: string): string[] {
    const file = listFile(volume);
    return existsSync(file) ? list.parse(JSON.parse(readFileSync(file, "utf8"))) : [];
}

export function rememberEvents(volume: string, events: readonly string[]): void {
    const [file, text] = [listFile(volume), JSON.stringify(events)];
    if (existsSync(file) && readFileSync(file, "utf8") === text) return;
    writeFileSync(`${file}.new`, text, { flush: true });
    renameSync(`${file}.new`, file);
}

/**
 * Events that came by replication are disabled until somebody enables them: done here, with what the session gives to an altered event kept as it was.
 * https://mariadb.com/kb/en/alter-event/
 * @param off those that were switched off at the peer: they become so here
 */
export async function enableEvents(connection: mysql.Connection, off: readonly string[]): Promise<void> {
    const events = await rowsOf<Event>(
        connection,
        `SELECT event_schema AS db, event_name AS name, definer, sql_mode AS mode, time_zone AS zone, character_set_client AS charset, collation_connection AS collation
         FROM information_schema.events WHERE status = 'SLAVESIDE_DISABLED'`,
    );
    if (events.length === 0) return;
    try {
        for (const event of events) {
            const at = event.definer.lastIndexOf("@");
            const definer = `${mysql.escapeId(event.definer.slice(0, at), true)}@${mysql.escapeId(event.definer.slice(at + 1), true)}`;
            const statement = `ALTER DEFINER = ${definer} EVENT ${nameOf(event)} ${off.includes(nameOf(event)) ? "DISABLE" : "ENABLE"}`;
            await connection.query("SET NAMES utf8mb4");
            await connection.query("SET @statement = ?", [statement]);
            await connection.query("SET SESSION sql_mode = ?, time_zone = ?", [event.mode, event.zone]);
            await connection.query("SET character_set_client = ?, collation_connection = ?", [event.charset, event.collation]);
            await connection.query("EXECUTE IMMEDIATE @statement");
        }
    } finally {
        await connection.query("SET NAMES utf8mb4");
        await connection.query("SET SESSION sql_mode = DEFAULT, time_zone = DEFAULT");
    }
}
