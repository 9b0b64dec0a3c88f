import type { SiteName } from "../../model/estate.ts";
import { siteAt } from "../addresses.ts";
import type { Acknowledged } from "./ledger.ts";

export interface Row {
    number: number;
    customer: string;
}

/** What became of the orders that customers count on. */
export interface Comparison {
    acknowledged: number;
    /** In every database, with the same content. */
    survived: number;
    /** Acknowledged, and missing from or different in at least one database; ascending. */
    lost: number[];
    /** Those of `lost` that at least one database still has: the databases disagree about them. */
    torn: number[];
    /** Those of `lost` that another site than the lost one acknowledged after the loss: no disaster explains them. */
    lostAfterTheLoss: number[];
    /** Those of `lost` that the lost site acknowledged after the loss, as one that is cut off does until its lease ends: only its own copy has them. */
    acknowledgedAlone: number[];
    /** Rows that nobody ordered: the ledger or the reading of the database is wrong. */
    unknown: number[];
    /** See {@link compare}. */
    rpoSeconds: number;
}

/**
 * Holds what customers were promised against what each database has, order by order.
 *
 * The data lost, as a span (`rpoSeconds`): from the acknowledgment of the oldest order that is lost to the moment of the loss, 0 when none is lost.
 * It is the span that a team must tell its customers about: "what you ordered after 10:41:07 may be gone". Orders that were never
 * acknowledged promise nothing, and do not count, whether they survived or not. Orders acknowledged after the loss are not part of it: losing one that
 * the surviving site acknowledged is a fault of its own, and what the lost site acknowledged alone is counted apart.
 *
 * @param acknowledged the first acknowledgment of each order
 * @param attempted numbers of all orders that were ever sent
 * @param databases all rows of each database, by store
 * @param lossAt wall time of the loss, milliseconds since 1970
 * @param lostSite whose loss it is
 */
export function compare(
    acknowledged: ReadonlyMap<number, Pick<Acknowledged, "at" | "customer" | "address">>,
    attempted: ReadonlySet<number>,
    databases: Readonly<Record<string, readonly Row[]>>,
    lossAt: number,
    lostSite: SiteName,
): Comparison {
    const tables = Object.values(databases).map((rows) => new Map(rows.map((row) => [row.number, row.customer])));
    if (tables.length === 0) throw new RangeError("no database was read; there is nothing to compare with");
    const lost: number[] = [];
    const torn: number[] = [];
    const lostAfterTheLoss: number[] = [];
    const acknowledgedAlone: number[] = [];
    let oldest = Infinity;
    for (const [number, { at, customer, address }] of acknowledged) {
        const whole = tables.filter((table) => table.get(number) === customer).length;
        if (whole === tables.length) continue;
        lost.push(number);
        if (tables.some((table) => table.has(number))) torn.push(number);
        if (at > lossAt) (siteAt(address) === lostSite ? acknowledgedAlone : lostAfterTheLoss).push(number);
        else oldest = Math.min(oldest, at);
    }
    const unknown = new Set(tables.flatMap((table) => [...table.keys()].filter((number) => !attempted.has(number))));
    const ascending = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);
    return {
        acknowledged: acknowledged.size,
        survived: acknowledged.size - lost.length,
        lost: ascending(lost),
        torn: ascending(torn),
        lostAfterTheLoss: ascending(lostAfterTheLoss),
        acknowledgedAlone: ascending(acknowledgedAlone),
        unknown: ascending(unknown),
        rpoSeconds: oldest === Infinity ? 0 : (lossAt - oldest) / 1000,
    };
}
