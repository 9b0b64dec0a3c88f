import { places, rangeOf, resolverAddress, type Place } from "./addresses.ts";
import { attemptsSet, countAttempt, nft, readAttempts, type Attempt } from "./loss.ts";

const table = (place: Place) => `cut_${place}`;

/** Places that a place can be cut off from. */
export const otherPlaces = (place: Place): Place[] => places.filter((other) => other !== place);

/**
 * Makes every packet vanish between a place and some others, in both directions, and counts those that were meant for it; what is inside the place goes
 * on. What was cut before and is not named again is whole from now on; with nobody named all is, and the counters are gone.
 *
 * Names are still answered: each region has a resolver of its own, and the sandbox's one stands for all of them.
 * https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
 */
export function cutOff(place: Place, from: readonly Place[]): void {
    const own = rangeOf[place];
    // To declare a table and delete it says nothing where there is none.
    if (from.length === 0) return nft(`table inet ${table(place)}\ndelete table inet ${table(place)}\n`);
    const links = from.map((other) => {
        const range = rangeOf[other];
        return `ip saddr ${range} ip daddr ${own} ${countAttempt}
        ip saddr ${range} ip daddr ${own} drop
        ip saddr ${own} ip daddr ${range} drop`;
    });
    // One transaction: at no instant is what stays cut whole. The set lives on, and its counters.
    nft(`
table inet ${table(place)} {
    ${attemptsSet}
    chain edge { }
    chain arriving { type filter hook prerouting priority raw; }
    chain leaving { type filter hook output priority raw; }
}
flush table inet ${table(place)}
table inet ${table(place)} {
    chain edge {
        ip saddr ${resolverAddress} accept
        ip daddr ${resolverAddress} accept
        ${links.join("\n        ")}
    }
    chain arriving { jump edge; }
    chain leaving { jump edge; }
}
`);
}

/** What the cut of a place has counted, most packets first. */
export const countCutAttempts = (place: Place): Attempt[] => readAttempts(table(place));
