import type { S3Client } from "@aws-sdk/client-s3";
import { Failure } from "../model/failure.ts";
import { formatDuration, minutes, seconds } from "../model/units.ts";

/** Points are named to the second, and retention counts in days: a minute does no harm. */
const tolerated = minutes(1);

/**
 * Refuses to go on where this machine's clock is not AWS's: points are named and given up by it. The client keeps how far it is off, from the answer to its
 * last call (`systemClockOffset` of the SDK's request signing).
 */
export function checkClock({ config }: S3Client): void {
    const offset = seconds(config.systemClockOffset / 1000);
    if (Math.abs(offset) <= tolerated) return;
    const span = formatDuration(seconds(Math.round(Math.abs(offset))));
    throw new Failure(
        "prerequisite",
        `this machine's clock is ${span} ${offset > 0 ? "behind" : "ahead of"} AWS's: nothing is named or given up by it`,
        "set the clock (timedatectl set-ntp true), then repeat the command",
    );
}
