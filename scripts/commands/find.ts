import { Command } from "commander";
import { storeOf } from "../../backup/backup.ts";
import { searchLog, type Hit } from "../../backup/log/search.ts";
import { exitCodes } from "../../model/failure.ts";
import { interruption } from "../interruption.ts";
import { instant } from "../moment.ts";
import { note, paint, print, show } from "../output.ts";
import { standpoint } from "../standpoint.ts";

interface Options {
    statement: string;
    since?: string;
    scratch?: string;
    json?: boolean;
}

/** Lines of a transaction that are shown; all are in the JSON. */
const shown = 12;

/** What to type to have the state before a transaction. */
const goBack = (store: string, { transaction }: Hit): string =>
    `lifeboat restore ${store} --before-transaction ${transaction} --to-directory DIRECTORY`;

function tell(store: string, hit: Hit): void {
    show(`${paint("bold", hit.transaction)}  ${hit.committedAt.toISOString()}`);
    for (const statement of hit.statements.slice(0, shown)) show(`    ${statement}`);
    if (hit.statements.length > shown) show(`    and ${hit.statements.length - shown} more`);
    show(`  everything before it: ${goBack(store, hit)}`);
}

export const command = new Command("find")
    .argument("<store>", "store of the estate")
    .description(
        "Searches a store's shipped log for transactions, in this site's vault (the standby's, unless LIFEBOAT_SITE says otherwise), and says\n" +
            "for each what brings back the moment before it. Ends with 1 if nothing matches, or if a part of the log could not be searched.",
    )
    .requiredOption("--statement <like>", "a part of a statement's or table's text, in any case: DROP, orders")
    .option(
        "--since <time>",
        'only what was committed from then on, as in "2026-11-27 01:00:00Z" (default: since the newest verified point)',
    )
    .option("--scratch <directory>", "where the log's files lie meanwhile (default: the system's for temporary files)")
    .option("--json", "print the transactions as JSON")
    .action(async (store: string, { statement, since, scratch, json }: Options) => {
        const here = await standpoint("standby");
        storeOf(here, store);
        const hits: Hit[] = [];
        const options = { like: statement, signal: interruption, note };
        const { unsearched } = await searchLog(
            here,
            store,
            { ...options, ...(since === undefined ? {} : { since: instant(since) }), ...(scratch === undefined ? {} : { scratch }) },
            (hit) => {
                hits.push(hit);
                if (!json) tell(store, hit);
            },
        );
        if (json) print({ store, transactions: hits.map((hit) => ({ ...hit, next: goBack(store, hit) })), unsearched });
        else if (hits.length === 0)
            show(`${store}: nothing in its log matches "${statement}"${since === undefined ? "; look further back with --since" : ""}`);
        if (hits.length === 0 || unsearched > 0) process.exitCode = exitCodes.no;
    });
