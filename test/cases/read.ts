import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Statements as one user, in order. */
export interface Chapter {
    readonly as: "app" | "admin";
    /** Bytes, because some are in another character set than the file's. */
    readonly statements: Buffer;
}
export interface Case {
    /** "07-system-versioned" */
    readonly name: string;
    /** Its first line, as a sentence. */
    readonly about: string;
    /** What makes the source. */
    readonly source: readonly Chapter[];
    /** What the database that is restored into holds before. */
    readonly target: Buffer | undefined;
    /** Run on the source and on what was restored: the answers must be the same. */
    readonly after: Buffer | undefined;
    readonly probes: readonly string[];
    readonly flags: ReadonlySet<string>;
}

const directive = /^-- @(admin|app|target|post|probe|flag)(?: (.*))?$/;

/**
 * Reads the cases of an engine: small inputs after public fault reports. A file's head says after which. Sections: none = as the application's user; `-- @admin` as the superuser, `-- @app` as the
 * application's again; `-- @target` = run in the database that is restored into, before the restore; `-- @post` = run on source and restored database after it; `-- @probe SQL`: the answer must be
 * the same before and after; `-- @flag NAME`; `@DB@` is the database's name.
 */
export function readCases(directory: string, databaseOf: (name: string) => string): Case[] {
    return readdirSync(directory)
        .filter((file) => file.endsWith(".sql"))
        .sort()
        .map((file) => {
            const name = file.replace(/\.sql$/, "");
            return readCase(name, readFileSync(join(directory, file)), databaseOf(name));
        });
}

function readCase(name: string, text: Buffer, database: string): Case {
    // latin1 keeps every byte what it is.
    const lines = text.toString("latin1").replaceAll("@DB@", database).split("\n");
    const chapters: { to: "app" | "admin" | "target" | "post"; lines: string[] }[] = [{ to: "app", lines: [] }];
    const probes: string[] = [];
    const flags = new Set<string>();
    for (const line of lines) {
        const [, word, rest = ""] = directive.exec(line) ?? [];
        if (word === "probe") probes.push(Buffer.from(rest, "latin1").toString());
        else if (word === "flag") flags.add(rest.trim());
        else if (word !== undefined) chapters.push({ to: word as "app" | "admin" | "target" | "post", lines: [] });
        else if (!line.startsWith("-- ")) chapters.at(-1)!.lines.push(line);
    }
    const bytes = (found: readonly { lines: string[] }[]) => {
        const all = found.flatMap((chapter) => chapter.lines).join("\n");
        return all.trim() === "" ? undefined : Buffer.from(`${all}\n`, "latin1");
    };
    const of = (to: string) => bytes(chapters.filter((chapter) => chapter.to === to));
    const source = chapters.flatMap(({ to, ...chapter }) => {
        const statements = to === "app" || to === "admin" ? bytes([chapter]) : undefined;
        return statements === undefined ? [] : [{ as: to as "app" | "admin", statements }];
    });
    const about = Buffer.from((lines[0] ?? "").replace(/^-- /, ""), "latin1").toString();
    return { name, about, source, target: of("target"), after: of("post"), probes, flags };
}
