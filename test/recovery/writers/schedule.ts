import { otherSite, type SiteName } from "../../../model/estate.ts";
import { otherPlaces } from "../../../sandbox/partition.ts";
import type { Place } from "../../../sandbox/addresses.ts";
import { draws } from "../../../sandbox/rehearsal/draw.ts";

/** What happens to the world, and when (ms after the schedule's beginning). */
export type Event = { readonly at: number } & (
    | { readonly kind: "cut"; readonly place: Exclude<Place, "outside">; readonly from: readonly Place[] }
    | { readonly kind: "heal"; readonly place: Exclude<Place, "outside"> }
    | { readonly kind: "pause" | "resume"; readonly site: SiteName }
    | { readonly kind: "kill"; readonly site: SiteName; readonly container: "server" | "guard" }
    /** Somebody begins to make the other site active, and does not give up. */
    | { readonly kind: "take over" }
);

/** Length of a schedule, ms: the lease of the test's world ends well within it. */
export const span = 7000;

/**
 * A schedule that a seed repeats: the other site takes over at some moment, and around it places are cut off from others, sites stand still, and containers are killed. Each trouble ends by
 * itself, or with the schedule.
 * @param active the site that writes when it begins; trouble meets it twice as often
 */
export function scheduleOf(seed: number, active: SiteName): Event[] {
    const draw = draws(seed);
    const one = <T>(of: readonly T[]): T => of[Math.floor(draw() * of.length)]!;
    const moment = (until: number) => Math.floor(draw() * until);
    const site = () => one([active, active, otherSite(active)]);
    const events: Event[] = [{ at: 500 + moment(2500), kind: "take over" }];
    const killed = new Set<string>();
    for (let left = 2 + moment(4); left > 0; left--) {
        const at = moment(span - 2000);
        const end = at + 300 + moment(5000);
        switch (one(["cut", "cut", "pause", "kill"] as const)) {
            case "cut": {
                const place = one([active, active, otherSite(active), "witness"] as const);
                const others = otherPlaces(place).filter(() => draw() < 0.7);
                events.push(
                    { at, kind: "cut", place, from: others.length > 0 ? others : otherPlaces(place) },
                    { at: end, kind: "heal", place },
                );
                break;
            }
            case "pause": {
                const who = site();
                events.push({ at, kind: "pause", site: who }, { at: end, kind: "resume", site: who });
                break;
            }
            case "kill": {
                const [who, container] = [site(), one(["server", "guard"] as const)];
                // A second one would be a crash loop, which waits longer each time.
                if (killed.has(`${who} ${container}`)) break;
                killed.add(`${who} ${container}`);
                events.push({ at, kind: "kill", site: who, container });
                break;
            }
        }
    }
    return events.filter(({ at }) => at < span).sort((a, b) => a.at - b.at);
}

/** As in "1.2 s cut primary from witness, outside". */
export function tell(event: Event): string {
    const what = {
        cut: () => event.kind === "cut" && `${event.place} from ${event.from.join(", ")}`,
        heal: () => event.kind === "heal" && event.place,
        pause: () => "site" in event && event.site,
        resume: () => "site" in event && event.site,
        kill: () => event.kind === "kill" && `${event.container} of the ${event.site}`,
        "take over": () => "",
    }[event.kind]();
    return `${(event.at / 1000).toFixed(1)} s ${event.kind} ${what}`.trim();
}
