import { createInterface } from "node:readline";
import { join } from "node:path";
import type { FoundTransaction } from "../../physical.ts";
import { startProgram } from "../../program.ts";

interface Draft {
    transaction: string;
    committedAt: Date;
    statements: Map<string, number>;
}

/** `#261127 11:57:05 server id 1  end_log_pos 344 CRC32 0x… GTID 0-1-2` , in UTC because the program is told so */
const gtidLine = /^#(\d\d)(\d\d)(\d\d) +(\d+):(\d\d):(\d\d) server id \d+ +end_log_pos \d+.*\tGTID (\d+-\d+-\d+)/;
const rowLine = /^### (INSERT INTO|UPDATE|DELETE FROM) (.*)$/;

const setUp = /^(START TRANSACTION|BEGIN|COMMIT|ROLLBACK|use |SET (@@|@`|TIMESTAMP=|INSERT_ID=|LAST_INSERT_ID=))/i;

/**
 * Transactions of binary log files whose statements have a text in them, as mariadb-binlog tells them. Row changes are counted by table; a statement is told as it was written.
 * @param like any case
 */
export async function* findTransactions(
    directory: string,
    files: readonly string[],
    { like, since }: { like: string; since?: Date },
    signal: AbortSignal,
): AsyncGenerator<FoundTransaction> {
    const program = startProgram(
        "mariadb-binlog",
        [...["--no-defaults", "--verbose", "--base64-output=decode-rows"], ...files.map((file) => join(directory, file))],
        { env: { TZ: "UTC" }, signal },
    );
    program.stdin.end();
    const wanted = like.toLowerCase();
    let draft: Draft | undefined;
    let statement = "";
    const add = (text: string) => void draft?.statements.set(text, (draft.statements.get(text) ?? 0) + 1);
    const finish = (): FoundTransaction | undefined => {
        const found = draft;
        draft = undefined;
        if (!found || (since && found.committedAt < since)) return undefined;
        const statements = [...found.statements].map(([text, times]) =>
            text.includes(": rows") ? text.replace(": rows", `: ${times} ${times === 1 ? "row" : "rows"}`) : text,
        );
        if (!statements.some((text) => text.toLowerCase().includes(wanted))) return undefined;
        return { transaction: found.transaction, position: found.transaction, committedAt: found.committedAt, statements };
    };
    try {
        for await (const line of createInterface({ input: program.stdout, crlfDelay: Infinity })) {
            const gtid = gtidLine.exec(line);
            if (gtid) {
                const done = finish();
                if (done) yield done;
                const [, year, month, day, hour, minute, second, transaction] = gtid;
                const at = new Date(
                    Date.UTC(2000 + Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)),
                );
                draft = { transaction: transaction!, committedAt: at, statements: new Map() };
                statement = "";
                continue;
            }
            const row = rowLine.exec(line);
            if (row) {
                add(`${row[1]!.split(" ")[0]} ${row[2]!.replaceAll("`", "")}: rows`);
                continue;
            }
            // Between statements stand notes and what only sets up a session; within one every line is its own.
            if (statement === "" && /^(#|DELIMITER |BINLOG '|\/\*)/.test(line)) continue;
            if (!line.endsWith("/*!*/;")) {
                statement += `${line}\n`;
                continue;
            }
            const text = (statement + line.slice(0, -"/*!*/;".length)).trim();
            statement = "";
            if (text !== "" && !setUp.test(text)) add(text);
        }
        const done = finish();
        if (done) yield done;
        await program.ended;
    } finally {
        // Whoever looked may have seen enough.
        program.kill();
    }
}
