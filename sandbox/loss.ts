import { execFileSync } from "node:child_process";
import type { SiteName } from "../model/estate.ts";
import { siteAddresses, whoIs } from "./addresses.ts";

/** Somebody who still tried to reach the region after it was lost. */
export interface Attempt {
    readonly source: string;
    /** Who has that address (addresses.whoIs). */
    readonly who: string;
    readonly destination: string;
    readonly port: number;
    /** Packets that vanished, retransmissions included. */
    readonly packets: number;
}

const table = (site: SiteName) => `lost_${site}`;

/** Counts who tried what. Ports from 32768 on are the ends of connections that the other side had opened: packets to them are replies, not attempts. */
export const attemptsSet = `set attempts {
        type ipv4_addr . ipv4_addr . inet_service
        flags dynamic
        counter
        size 65535
    }`;
export const countAttempt = "meta l4proto { tcp, udp } th dport < 32768 update @attempts { ip saddr . ip daddr . th dport }";

/**
 * Makes every packet vanish that would cross the region's edge, in either direction, and counts those that were meant for it. What stays inside
 * the region is left alone. No packet is answered: connections hang, as those to a dead region do.
 */
export function dropPackets(site: SiteName): void {
    const { range } = siteAddresses(site);
    nft(`
table inet ${table(site)} {
    ${attemptsSet}
    chain edge {
        ip saddr ${range} ip daddr ${range} accept
        ip daddr ${range} ${countAttempt}
        ip daddr ${range} drop
        ip saddr ${range} drop
    }
    chain arriving {
        type filter hook prerouting priority raw
        jump edge
    }
    chain leaving {
        type filter hook output priority raw
        jump edge
    }
}
`);
}

/** Lets the packets of a lost site through again. What was counted is forgotten. */
export const passPackets = (site: SiteName): void => nft(`delete table inet ${table(site)}\n`);

/** What the drop of a lost site has counted, most packets first. Empty while the site stands. */
export const countAttempts = (site: SiteName): Attempt[] => readAttempts(table(site));

/** What the set `attempts` of a table has counted; empty where there is no such table. */
export function readAttempts(of: string): Attempt[] {
    let answer: string;
    try {
        answer = execFileSync("nft", ["-j", "list", "set", "inet", of, "attempts"], {
            encoding: "utf8",
            stdio: ["ignore", "pipe", "pipe"],
        });
    } catch (error) {
        if (/No such file or directory/.test(String((error as { stderr?: string }).stderr))) return [];
        throw error;
    }
    return parseAttempts(answer);
}

interface NftSet {
    nftables: { set?: { elem?: { elem: { val: { concat: [string, string, number] }; counter: { packets: number } } }[] } }[];
}

/** Reads the JSON that `nft -j list set` prints. */
export function parseAttempts(json: string): Attempt[] {
    return (JSON.parse(json) as NftSet).nftables
        .flatMap((item) => item.set?.elem ?? [])
        .map(({ elem: { val, counter } }) => {
            const [source, destination, port] = val.concat;
            return { source, who: whoIs(source), destination, port, packets: counter.packets };
        })
        .toSorted((a, b) => b.packets - a.packets);
}

export function nft(ruleset: string): void {
    execFileSync("nft", ["-f", "-"], { input: ruleset, stdio: ["pipe", "pipe", "pipe"] });
}
