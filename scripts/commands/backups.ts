import { Command } from "commander";
import { storeOf } from "../../backup/backup.ts";
import { Catalog, type PointState } from "../../backup/catalog.ts";
import { logReach, tellReach } from "../../backup/log/record.ts";
import { timeOf } from "../../backup/point.ts";
import { exitCodes } from "../../model/failure.ts";
import { formatDuration, seconds } from "../../model/units.ts";
import { paint, print, show } from "../output.ts";
import { standpoint } from "../standpoint.ts";
import { listPoints, vaultOf, type Standpoint } from "../../backup/vault.ts";

/** The catalog's points, and what lies in the vault unverified; oldest first. */
async function pointsOf(here: Standpoint, store: string): Promise<PointState[]> {
    const { clients, bucket } = vaultOf(here);
    const [states, objects] = await Promise.all([new Catalog(here).states(store), listPoints(clients.s3, bucket, store)]);
    const known = new Set(states.map(({ point }) => point));
    for (const [point, { manifest }] of objects) if (manifest && !known.has(point)) states.push({ state: "unverified", store, point });
    return states.sort((a, b) => (a.point < b.point ? -1 : 1));
}

function row(of: PointState): string {
    const age = formatDuration(seconds((Date.now() - timeOf(of.point).getTime()) / 1000));
    const line = (colour: "green" | "red" | "yellow" | "dim", rest: string) =>
        `${of.store}  ${of.point}  ${age.padStart(18)}  ${paint(colour, of.state.padEnd(10))}  ${rest}`;
    switch (of.state) {
        case "verified": {
            const { manifest, copies, verified } = of.record;
            const parts = [
                `${manifest.dump.bytes} bytes, stored as ${manifest.stored.bytes}`,
                copies === 1 ? "one copy" : `${copies} copies`,
                ...(verified.started ? [] : ["never started"]),
                ...(verified.notCompared === undefined ? [] : [`contents not compared: ${verified.notCompared}`]),
                ...(manifest.log ? [] : ["no log goes on from it"]),
                ...manifest.unprotected.map(({ name, why }) => `not in it: ${name} ${why}`),
            ];
            return line("green", parts.join(", "));
        }
        case "unverified":
            return line("yellow", "no recovery point until it is verified");
        case "rejected":
            return line("red", of.rejection.reason);
        case "expired":
            return line("dim", `given up ${of.expiry.at}`);
        default:
            return of satisfies never;
    }
}

export const command = new Command("backups")
    .argument("[store]", "store of the estate (default: all)")
    .description(
        "Lists the recovery points of the catalog, and what has arrived in this site's vault (the standby's, unless LIFEBOAT_SITE says\n" +
            "otherwise) and was not verified yet, and how far the log in the vault is good. Ends with 1 if a store has no verified point that is younger\n" +
            "than its RPO, or if the newest history of its log has a gap or is damaged.",
    )
    .option("--json", "print the points as JSON")
    .action(async (asked: string | undefined, { json }: { json?: boolean }) => {
        const here = await standpoint("standby");
        if (asked !== undefined) storeOf(here, asked);
        const stores = asked === undefined ? Object.keys(here.estate.stores) : [asked];
        const listed = [];
        for (const store of stores) {
            const [points, records] = await Promise.all([pointsOf(here, store), logReach(here, store)]);
            const logs = records.map((record) => ({ ...record, ...tellReach(record, new Date()) }));
            const newest = points.findLast(({ state }) => state === "verified");
            const age = newest && (Date.now() - timeOf(newest.point).getTime()) / 1000;
            const rpo = storeOf(here, store).objective.rpo;
            const holds = age !== undefined && age <= rpo && logs.at(-1)?.trouble !== true;
            listed.push({ store, rpoSeconds: rpo, newestVerified: newest?.point ?? null, ageSeconds: age ?? null, holds, points, logs });
        }
        if (json) print({ site: here.site, stores: listed });
        else
            for (const { store, points, logs, holds, rpoSeconds, ageSeconds } of listed) {
                for (const point of points) show(row(point));
                for (const { line, trouble } of logs) show(`${store}  ${paint(trouble ? "red" : "dim", line)}`);
                const verdict = holds ? paint("green", "PASS") : paint("red", "FAIL");
                const age =
                    ageSeconds === null ? "no verified point" : `newest verified point is ${formatDuration(seconds(ageSeconds))} old`;
                show(`${store}: ${age}, RPO ${formatDuration(rpoSeconds)}: ${verdict}`);
            }
        if (listed.some(({ holds }) => !holds)) process.exitCode = exitCodes.no;
    });
