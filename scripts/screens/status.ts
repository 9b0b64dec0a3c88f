import { siteNames, type Estate, type SiteName } from "../../model/estate.ts";
import {
    knownRecord,
    tellPrice,
    type Answer,
    type DatabaseFacts,
    type Facts,
    type PointFacts,
    type Readiness,
} from "../../model/readiness.ts";
import { formatDuration, seconds } from "../../model/units.ts";

/** The terminal that everybody has: nothing scrolls away on it. */
export const screen = { columns: 80, lines: 24 } as const;

type Colour = "red" | "green" | "yellow" | "bold" | "dim";
/** A piece of a line: its colour changes no width. */
type Piece = string | readonly [Colour, string];
type Line = readonly Piece[];

/** Of the lines, so many at most are for stores and services, for what is unprotected, and for the answer's reasons. */
const most = { rows: 7, unprotected: 4, reasons: 5 } as const;
const widths = [17, 20, 21, 22] as const;

/**
 * All that `lifeboat status` shows, in at most 24 lines of 80 columns. What does not fit is counted; `--json` has it all.
 * @param paint colours a text, or gives it back as it is
 */
export function statusScreen(estate: Estate, facts: Facts, readiness: Readiness, paint: (colour: Colour, text: string) => string): string {
    const lines: Line[] = [
        ...head(estate, facts, readiness),
        [],
        row([
            ["bold", "STORE"],
            ...siteNames.map((site): Piece => ["bold", `${site} ${estate.sites[site].region}`]),
            ["bold", "verified point"],
        ]),
        ...cut(rows(estate, facts, readiness), most.rows),
        [],
        ...unprotected(readiness),
        [],
        ...answer(estate, readiness),
    ];
    return lines.map((line) => clip(line, paint)).join("\n");
}

function head(estate: Estate, facts: Facts, { active: site }: Readiness): Line[] {
    const { epoch, latch, witness, at } = facts;
    const record = knownRecord(facts);
    if (record === undefined)
        return [
            [
                ["bold", `${estate.name}: `],
                ["red", "nobody can say which site is active"],
            ],
            [`asked ${clock(at)}`],
        ];
    const { active, epoch: number, at: since, by, reason } = record;
    const thrown = "none" in latch ? "latch: no answer" : latch.value.thrown ? "latch thrown" : "latch not thrown";
    return [
        [["bold", `${estate.name}: the ${active} (${estate.sites[active].region}) is active`], `, epoch ${number} since ${clock(since)}`],
        [
            ...("none" in epoch ? [["red", "the standby does not answer: so says the witness"] as const, "; "] : []),
            ...lease(facts, site),
            ...("none" in witness ? [["red", "witness: no answer"] as const, "; "] : []),
            `${thrown}; asked ${clock(at).slice(-12)}; by ${by}: ${reason}`,
        ],
    ];
}

/** How long the active site's servers may go on writing if nobody answers their guards any more. */
function lease({ databases }: Facts, active: SiteName | null): Line {
    const found = active === null ? [] : Object.entries(databases[active]);
    const leases = found.flatMap(([store, each]) =>
        "value" in each && each.value.lease !== undefined ? [{ store, ...each.value.lease }] : [],
    );
    if (leases.length === 0) return [];
    const lapsed = leases.filter(({ state, secondsLeft }) => state !== "proven" || secondsLeft <= 0);
    const silent = [...new Set(leases.flatMap((each) => Object.keys(each.silent)))];
    const told: Piece =
        lapsed.length > 0
            ? ["red", `no lease: ${lapsed.map(({ store }) => store).join(", ")}`]
            : ["green", `lease ${Math.min(...leases.map(({ secondsLeft }) => Math.floor(secondsLeft)))} s`];
    return [told, ...(silent.length === 0 ? [] : [" ", ["yellow", `(its guards do not hear ${silent.join(", ")})`] as const]), "; "];
}

const clock = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;

function rows(estate: Estate, facts: Facts, { active }: Readiness): Line[] {
    const stores = Object.keys(estate.stores).map((store) =>
        row([
            store,
            ...siteNames.map((site) => database(facts.databases[site][store], site, active)),
            point(facts.points[store], facts.at),
        ]),
    );
    const services = Object.keys(estate.services).map((service) =>
        row([service, ...siteNames.map((site) => health(facts.services[site][service], site, active, isSilent(facts, site))), ""]),
    );
    return [...stores, ...services];
}

const silent: Piece = ["red", "no answer"];

function database(found: Answer<DatabaseFacts> | undefined, site: SiteName, active: SiteName | null): Piece {
    if (found === undefined) return "";
    if ("none" in found) return silent;
    const { role, lagSeconds } = found.value;
    switch (role) {
        case "writable":
            return [site === active ? "green" : "red", role];
        case "half-open":
        case "read-only":
            return [site === active ? "red" : "yellow", role];
        case "replica":
            if (lagSeconds === null) return ["red", "replica, cut off"];
            return [site === active ? "yellow" : "green", `replica, ${formatDuration(seconds(lagSeconds))} lag`];
        default:
            return role satisfies never;
    }
}

/** Whether no database of a site answers: then neither would its services, pods or not. */
function isSilent({ databases }: Facts, site: SiteName): boolean {
    const found = Object.values(databases[site]);
    return found.length > 0 && found.every((each) => "none" in each);
}

function health(found: Answer<number> | undefined, site: SiteName, active: SiteName | null, dead: boolean): Piece {
    if (found === undefined) return "";
    // A passive site has no pods: there is nobody who could answer.
    if (!dead && site !== active && active !== null && !("value" in found && found.value === 200)) return ["dim", "passive"];
    if ("none" in found) return silent;
    return found.value === 200 ? ["green", "answers"] : ["red", `answers ${found.value}`];
}

function point(found: Answer<PointFacts | undefined> | undefined, at: string): Piece {
    if (found === undefined) return "";
    if ("none" in found) return silent;
    if (found.value === undefined) return ["red", "none yet"];
    const { startedAt, copies } = found.value;
    const age = formatDuration(seconds(Math.max(0, Math.round((Date.parse(at) - Date.parse(startedAt)) / 1000))));
    return `${age}, ${copies === 1 ? "one copy" : `${copies} copies`}`;
}

function unprotected({ unprotected: found, notCarried }: Readiness): Line[] {
    if (found.length + notCarried.length === 0) return [[["bold", "UNPROTECTED"], "  nothing"]];
    const told = [...found, ...notCarried].map(({ store, why }): Line => [`  ${store}: ${why}`]);
    return [[["yellow", "UNPROTECTED"]], ...cut(told, most.unprotected)];
}

function answer(estate: Estate, readiness: Readiness): Line[] {
    const { failover, obstacles } = readiness;
    const question: Piece = ["bold", "COULD WE FAIL OVER NOW?  "];
    const to = `to the standby (${estate.sites.standby.region})`;
    const price = tellPrice(readiness).flatMap((text) => wrap(text, 3));
    switch (failover) {
        case "yes":
            return [[question, ["green", `yes, ${to}`]], ...cut(price, most.reasons - 1), ["  next: lifeboat activate"]];
        case "over the promise":
            return [
                [question, ["yellow", "yes, to the standby, at a loss over the promise"]],
                ...cut(price, most.reasons - 1),
                ["  next: lifeboat activate, if the primary is lost; else mend the replicas"],
            ];
        case "no": {
            const first = obstacles[0];
            const told = obstacles.flatMap(({ what }) => wrap(what));
            return [[question, ["red", "no"]], ...cut(told, most.reasons - 2), ...(first === undefined ? [] : wrap(`next: ${first.next}`))];
        }
        default:
            return failover satisfies never;
    }
}

/** The first lines, and how many more there are. */
const cut = (lines: readonly Line[], limit: number): readonly Line[] =>
    lines.length <= limit ? lines : [...lines.slice(0, limit - 1), [`  and ${lines.length - limit + 1} more: --json has all`]];

/** Words in lines of the screen's width, indented. */
function wrap(text: string, limit = 2): Line[] {
    const lines: string[] = [];
    for (const word of text.split(/\s+/)) {
        const last = lines.at(-1);
        if (last !== undefined && last.length + 1 + word.length <= screen.columns - 2) lines[lines.length - 1] = `${last} ${word}`;
        else lines.push(word);
    }
    const kept = lines.length <= limit ? lines : [...lines.slice(0, limit - 1), lines.slice(limit - 1).join(" ")];
    return kept.map((line) => [`  ${line}`]);
}

const textOf = (piece: Piece): string => (typeof piece === "string" ? piece : piece[1]);
const withText = (piece: Piece, text: string): Piece => (typeof piece === "string" ? text : [piece[0], text]);
/** Control characters in a message from elsewhere would move the cursor. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}+/gu, " ");
const shorten = (text: string, width: number): string => (text.length <= width ? text : width < 1 ? "" : `${text.slice(0, width - 1)}…`);

function row(cells: readonly Piece[]): Line {
    return cells.map((cell, index) => {
        const width = widths[index] ?? 0;
        return withText(cell, shorten(plain(textOf(cell)), width - 1).padEnd(width));
    });
}

function clip(line: Line, paint: (colour: Colour, text: string) => string): string {
    let left: number = screen.columns;
    const painted = line.map((piece) => {
        const text = shorten(plain(textOf(piece)), left);
        left -= text.length;
        return typeof piece === "string" ? text : paint(piece[0], text);
    });
    return painted.join("").trimEnd();
}
