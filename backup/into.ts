import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pipeline } from "node:stream/promises";
import { Failure } from "../model/failure.ts";
import type { Moment } from "../model/moment.ts";
import type { LogicalStore, ServerAddress, Transfer } from "../stores/adapter.ts";
import type { StoreKind } from "../stores/kind.ts";
import { Meter } from "../stores/meter.ts";
import type { Only } from "../stores/physical.ts";
import { kindOf } from "../stores/registry.ts";
import { storeOf } from "./backup.ts";
import { differenceOf } from "./contents.ts";
import { causeOfBreak } from "./opening.ts";
import { recover, recoveryLifetime, type RecoverOptions } from "./recover.ts";
import type { RestoreReport } from "./restore.ts";
import { scratchDirectory } from "./scratch.ts";
import type { Standpoint } from "./vault.ts";

/** What is to be used where text does not do. */
const instead = "restore the whole server as its engine keeps it: --to-directory";

/**
 * Recovers a store on a scratch server, and brings one database of it, or one table, into another server as text. It is compared there by exact values with where it came from, and only
 * then takes its place, in one step. After any failure the target is as it was.
 * @param only default: the store's declared database
 * @param target for a database one that is empty or not there; for a table one that is there, and has no table of that name
 * @throws Failure("refused") where something is in the target; Failure("no") where text does not carry it
 */
export async function restoreInto(
    standpoint: Standpoint,
    store: string,
    moment: Moment,
    target: ServerAddress,
    only: Only | undefined,
    options: RecoverOptions,
): Promise<RestoreReport> {
    const began = performance.now();
    const declared = storeOf(standpoint, store);
    const kind = kindOf(declared);
    const { logical } = kind.operations;
    const what = only ?? { database: declared.database };
    await mustHaveRoom(logical, target, what.table);

    await using scratch = await scratchDirectory(options.scratch, recoveryLifetime);
    await using recovered = await recover(standpoint, store, moment, join(scratch.path, "data"), options);
    const from = { ...recovered.server.address, database: what.database };
    const lacking = await logical.lacking(target, from, what.table);
    if (lacking.length > 0)
        throw new Failure(
            "refused",
            `what ${nameOf(what)} needs is not on the target's server: ${lacking.join(", ")}`,
            `make it there first; or ${instead}`,
        );
    const transfer = await logical.transfer(from, target, randomBytes(4).toString("hex"), what.table);
    try {
        await carry(logical, transfer, options.signal).catch((error: unknown) => {
            options.signal.throwIfAborted();
            throw new Failure("no", `${nameOf(what)} cannot be loaded as text; the target is as it was`, instead, { cause: error });
        });
        await mustBeEqual(kind, transfer, what, options.signal);
        options.note(`${store}: ${nameOf(what)} is loaded, and holds what it should; taking its place`);
        const { kept } = await transfer.takePlace();
        const placed = await logical.tables(target);
        const { point, server, bytes, short } = recovered;
        return {
            ...{ store, point: point.manifest.point, position: server.position, bytes },
            target: `${kind.schemes[0]}://${target.user}@${target.socketDirectory ?? `${target.host}:${target.port}`}/${target.database}`,
            tables: what.table === undefined ? placed : placed.filter(({ name }) => name === what.table),
            seconds: (performance.now() - began) / 1000,
            ...(short === undefined ? {} : { short }),
            ...(kept === undefined ? {} : { kept }),
        };
    } finally {
        await transfer.discard();
    }
}

const nameOf = ({ database, table }: Only): string => (table === undefined ? database : `${database}.${table}`);

async function mustHaveRoom(logical: LogicalStore, target: ServerAddress, table: string | undefined): Promise<void> {
    const where = `${target.database} on ${target.socketDirectory ?? target.host}`;
    if (table !== undefined) {
        if (!(await logical.tables(target)).some(({ name }) => name === table)) return;
        throw new Failure(
            "refused",
            `${where} has a table ${table}`,
            "rename it, or restore into another database: nothing that is there is ever replaced",
        );
    }
    const found = await logical.inhabitants(target);
    if (found.length === 0) return;
    const [few, more] = [found.slice(0, 5).join(", "), found.length > 5 ? ", and more" : ""];
    throw new Failure(
        "refused",
        `${where} is not empty: ${few}${more}`,
        "name a database that is empty or not there: nothing that is there is ever replaced",
    );
}

async function carry(logical: LogicalStore, transfer: Transfer, signal: AbortSignal): Promise<void> {
    const [dump, load] = [transfer.dump(signal), transfer.load(signal)];
    dump.stdin.end();
    load.stdout.resume();
    const meter = new Meter();
    try {
        await pipeline(
            dump.stdout,
            meter,
            async function* (source: AsyncIterable<Buffer>) {
                yield* source;
                await dump.ended;
                if (!logical.isWhole(meter.tail))
                    throw new Error(`${dump.name} ended well, but its output lacks the end marker: it is cut off`);
            },
            load.stdin,
            { signal },
        );
        await load.ended;
    } catch (error) {
        const cause = await causeOfBreak(error, load.ended);
        dump.kill();
        load.kill();
        throw cause;
    }
}

/** Numbers that text rounds, for one, are found here. */
async function mustBeEqual(kind: StoreKind, transfer: Transfer, what: Only, signal: AbortSignal): Promise<void> {
    const read = async (server: ServerAddress) => {
        const held = await kind.operations.physical.contents(server, signal, {
            database: server.database,
            ...(transfer.table === undefined ? {} : { table: transfer.table }),
        });
        if (!held)
            throw new Failure(
                "no",
                `what was loaded as ${server.database} is never still: somebody writes there`,
                "restore into another database",
            );
        // A comparison of nothing would say that all is well.
        if (transfer.table !== undefined && held.relations.length === 0)
            throw new Failure("no", `${transfer.table} was not found again to be compared`, instead);
        // As they are named at the source.
        const relations = held.relations.map((relation) => ({
            ...relation,
            database: what.database,
            name: relation.name === transfer.table ? what.table! : relation.name,
        }));
        return { ...held, relations };
    };
    const difference = differenceOf(await read(transfer.loaded), await read(transfer.from));
    if (difference === undefined) return;
    throw new Failure("no", `${nameOf(what)} is not the same as text: ${difference}; the target is as it was`, instead);
}
