import type { Seconds } from "../../model/units.ts";

/** A cron line that starts `every` span (whole minutes that divide an hour), `offset` minutes after the hour. @example everyMinutes(minutes(5)) === "*\/5 * * * *" */
export function cronEvery(every: Seconds, offset = 0): string {
    const interval = every / 60;
    if (!Number.isInteger(interval) || interval < 1 || 60 % interval !== 0)
        throw new RangeError(`${every} s is not a number of whole minutes that divides an hour`);
    if (interval === 1) return "* * * * *";
    if (interval === 60) return `${offset} * * * *`;
    return offset === 0 ? `*/${interval} * * * *` : `${offset}-59/${interval} * * * *`;
}
