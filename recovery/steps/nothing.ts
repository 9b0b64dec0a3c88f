import type { UndoableEffect } from "../activation.ts";

/** The way back of a step that leaves nothing to take back. */
export const nothingToUndo: Pick<UndoableEffect, "undo"> = { undo: () => Promise.resolve({ nothing: "to undo" }) };
