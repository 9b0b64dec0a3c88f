import type { Engine } from "../../engines.ts";

/** What stands in the way of loading a dump, with the next step. */
export interface Objection {
    message: string;
    next: string;
}

/** Characters that are kept of a line: statements are known by their beginnings, and a line of data may be a gigabyte long. */
export const keptOfLine = 400;

const marks: Readonly<Record<Engine, readonly RegExp[]>> = {
    mariadb: [
        /^-- (MySQL|MariaDB) dump /,
        /^\/\*(!|M!)\d{5,6} /,
        /^(CREATE TABLE|INSERT INTO|LOCK TABLES|DROP TABLE IF EXISTS) `/i,
        /^\) ENGINE=\w+/i,
    ],
    postgres: [
        /^-- PostgreSQL database dump/,
        /^SELECT pg_catalog\./,
        /^COPY .* FROM stdin;/i,
        /^SET (client_encoding|search_path|standard_conforming_strings) /,
    ],
};
/** First and last words of whole dumps, as the servers' own tools write them (comments may be switched off: then there are neither). */
const ends: Readonly<Record<Engine, { head: RegExp; tail: RegExp }>> = {
    mariadb: { head: /^-- (MySQL|MariaDB) dump /, tail: /^-- Dump completed/ },
    postgres: { head: /^-- PostgreSQL database dump\s*$/, tail: /^-- PostgreSQL database dump complete/ },
};
const names: Readonly<Record<Engine, string>> = { mariadb: "MariaDB or MySQL", postgres: "PostgreSQL" };

/** Lines that may not be loaded: beside the table that the service owns, those that leave the store's database or need more rights than its user has. */
const forbidden: Readonly<Record<Engine, readonly { line: RegExp; objection: Objection }[]>> = {
    mariadb: [
        {
            line: /^(USE |CREATE DATABASE )/i,
            objection: {
                message: "it goes to a database of its own",
                next: "make the dump of one database, without --databases or --all-databases",
            },
        },
        {
            line: /^(\/\*!\d+ |CREATE )(CREATE\*\/ \/\*!\d+ )?DEFINER=/i,
            objection: {
                message: "it makes a view, trigger or routine in somebody's name (DEFINER), which only a superuser may",
                next: "take the DEFINER clauses out",
            },
        },
    ],
    postgres: [
        {
            line: /^(\\connect|CREATE DATABASE )/i,
            objection: {
                message: "it goes to a database of its own",
                next: "make the dump of one database with pg_dump, without --create",
            },
        },
        {
            line: /^\\(?!restrict |unrestrict )/,
            objection: {
                message: "it holds a command for psql, which could do anything on this machine",
                next: "take the lines that begin with a backslash out",
            },
        },
        {
            line: /^(ALTER .* OWNER TO |GRANT |REVOKE |ALTER DEFAULT PRIVILEGES )/i,
            objection: {
                message: "it names roles that the store does not have",
                next: "make the dump with pg_dump --no-owner --no-privileges",
            },
        },
    ],
};

/** Reads the lines of a dump, one by one and only their beginnings, and says what it is and what is wrong with it. */
export class DumpScan {
    readonly #owned: RegExp;
    readonly #seen = new Set<Engine>();
    readonly #objections = new Map<Engine, { line: number; objection: Objection }>();
    #lines = 0;
    #copying = false;
    #first = "";
    #ownTable: number | undefined;
    readonly #head = new Set<Engine>();
    #last = "";

    /** @param table name of the table that the service owns */
    constructor(table: string) {
        this.#owned = new RegExp(
            `^(CREATE TABLE( IF NOT EXISTS)?|DROP TABLE( IF EXISTS)?) (["\`]?public["\`]?\\.)?["\`]?${table}["\`]?[ (;]`,
            "i",
        );
    }

    line(text: string): void {
        this.#lines++;
        if (this.#lines === 1) this.#first = text;
        // What stands between COPY and \. is data.
        if (this.#copying) {
            if (text === "\\.") this.#copying = false;
            return;
        }
        if (text.trim() !== "") this.#last = text.startsWith("\\unrestrict ") || text === "--" ? this.#last : text;
        if (this.#owned.test(text)) this.#ownTable ??= this.#lines;
        for (const kind of ["mariadb", "postgres"] as const) {
            if (marks[kind].some((mark) => mark.test(text))) this.#seen.add(kind);
            if (ends[kind].head.test(text)) this.#head.add(kind);
            const found = forbidden[kind].find(({ line }) => line.test(text));
            if (found && !this.#objections.has(kind)) this.#objections.set(kind, { line: this.#lines, objection: found.objection });
        }
        if (/^COPY .* FROM stdin;/i.test(text)) this.#copying = true;
    }

    /** The kind of server that the dump is for, or why it cannot be loaded. */
    result(): Engine | Objection {
        if (this.#first.startsWith("PGDMP"))
            return {
                message: "it is a dump in PostgreSQL's own format, not SQL",
                next: "turn it into SQL: pg_restore --no-owner --no-privileges -f FILE.sql DUMP",
            };
        if (this.#first.includes("\0"))
            return { message: "it is not text, so no SQL", next: "name a dump in SQL, as it is or compressed with gzip or zstd" };
        const [kind, other] = this.#seen;
        if (kind === undefined || other !== undefined)
            return {
                message:
                    kind === undefined
                        ? "nothing in it is of a dump of MariaDB, MySQL or PostgreSQL"
                        : "it has lines of MariaDB or MySQL and lines of PostgreSQL",
                next: "name a dump as mariadb-dump, mysqldump or pg_dump writes it",
            };
        if (this.#copying || (this.#head.has(kind) && !ends[kind].tail.test(this.#last)))
            return {
                message: `it is cut off: a dump of ${names[kind]} has an end, and this has none`,
                next: "make the dump again, to its end",
            };
        if (this.#ownTable !== undefined)
            return {
                message: `line ${this.#ownTable}: it has the table that the example's service keeps its orders in`,
                next: "rename that table in the dump",
            };
        const objection = this.#objections.get(kind);
        return objection ? { ...objection.objection, message: `line ${objection.line}: ${objection.objection.message}` } : kind;
    }
}
