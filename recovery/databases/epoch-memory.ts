import { join } from "node:path";
import { z } from "zod";
import { siteNames } from "../../model/estate.ts";
import type { Claim } from "../../model/lease.ts";
import { readRecord, replaceRecord } from "./volume-record.ts";

const claim = z.strictObject({ epoch: z.int().min(1), active: z.enum(siteNames) });

/** The highest epoch that a guard was told of, for the guard that comes after it. */
export interface EpochMemory {
    /** What the guards before this one knew; undefined: nothing. */
    readonly before: Claim | undefined;
    /** Keeps a higher epoch; one that is not higher is passed over. What cannot be written is told once, and tried again when the next answer comes. */
    keep(told: Claim): void;
}

/**
 * Kept on the volume, beside the data that it is about: a guard that restarts where only a witness answers that is behind (an activation without it) does not believe it.
 * @throws Failure("refused") for a file that cannot be read: nobody may guess who was active
 */
export function epochMemoryOn(volume: string, note: (line: string) => void): EpochMemory {
    const file = join(volume, "lifeboat-epoch.json");
    const before = readRecord(file, claim, {
        about: "which epoch was told last",
        next: "remove it if the standby's bucket answers: its record is the truth",
    });
    let kept = before?.epoch ?? 0;
    let failed = false;
    return {
        before,
        keep({ epoch, active }) {
            if (epoch <= kept) return;
            try {
                replaceRecord(file, claim, { epoch, active });
                kept = epoch;
            } catch (error) {
                if (!failed) note(`${file}: epoch ${epoch} could not be written down: ${(error as Error).message}`);
                failed = true;
            }
        },
    };
}
