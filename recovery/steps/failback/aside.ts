import { z } from "zod";
import { Failure } from "../../../model/failure.ts";
import type { UndoableEffect } from "../../activation.ts";
import { nothingToUndo } from "../nothing.ts";
import type { Side } from "./side.ts";

/** What `lifeboat aside STORE --json` prints. */
export const asideReport = z.strictObject({
    store: z.string(),
    /** By table, those that have any: rows whose key the other site does not have, and rows that say something else there. */
    tables: z.array(z.strictObject({ name: z.string(), absent: z.int(), differs: z.int() })),
    rows: z.int(),
    /** Where they were saved; absent where there was nothing to save. */
    saved: z.strictObject({ bucket: z.string(), key: z.string(), id: z.string(), look: z.string() }).optional(),
    seconds: z.number(),
});
export type AsideReport = z.output<typeof asideReport>;

/** Saves what a store's old server holds and the active one does not. A replica, or a copy that was begun, holds nothing of its own. */
export function asideStep(store: string, { guard, workloads }: Side): UndoableEffect {
    return {
        ...nothingToUndo,
        async apply({ signal, note }) {
            const { role, seed } = await guard.status(store, signal);
            if (role === "replica" || seed === "wanted" || seed === "copying") return { rows: 0, because: "it is a copy already" };
            const log = await workloads.runOnce(`aside-${store}`, signal);
            // Other lines stand before it.
            const text = log.slice(log.lastIndexOf("\n{\n") + 1);
            try {
                const { tables, rows, saved } = asideReport.parse(JSON.parse(text));
                const counts = tables.map(({ name, absent, differs }) => `${name}: ${absent} rows, and ${differs} that differ`);
                note(rows === 0 ? "it holds nothing alone" : `held alone and saved: ${counts.join("; ")}. To look at it: ${saved?.look}`);
                return { rows, tables, ...(saved === undefined ? {} : { saved }) };
            } catch (error) {
                throw new Failure(
                    "unavailable",
                    `the comparison of ${store} gave an answer that is none: ${log.trim().slice(-200)}`,
                    `kubectl --context ${workloads.context} get jobs`,
                    { cause: error },
                );
            }
        },
    };
}
