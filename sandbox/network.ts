import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { siteNames, type SiteName } from "../model/estate.ts";
import { actors, globalAws, outsideGateway, resolverAddress, siteAddresses, siteAt, witnessAws, type Actor } from "./addresses.ts";

export const bridgeOf = (site: SiteName) => `br-${site}`;
const outsideBridge = "br-outside";

/**
 * Actors that run in a network namespace of their own. The checkers are a daemon of the sandbox and not a program that a person starts: their
 * address is the root's, and the daemon binds to it.
 */
export const actorsWithNamespace = (Object.keys(actors) as Actor[]).filter((actor) => actor !== "checkers");

const ip = (lines: readonly string[], netns?: string) =>
    execFileSync("ip", [...(netns ? ["-n", netns] : []), "-batch", "-"], {
        input: `${lines.join("\n")}\n`,
        stdio: ["pipe", "pipe", "pipe"],
    });

/**
 * A bridge without an address of its own takes the lowest of its ports', and so changes it whenever a pod comes or goes: every other pod then
 * sends to a gateway that is no longer there, until its neighbour table forgets (half a minute).
 */
const bridgeHardware = (number: number) => `02:00:00:00:00:0${number}`;

/**
 * Builds the sandbox's network in the namespace that this process is in: a bridge a site and one for whatever is outside, every address of
 * sandbox/addresses.ts, a namespace an actor. The root routes between the bridges.
 */
export function buildNetwork(): void {
    ip(["link set lo up"]);
    const sysctl = (name: string, value: string) => writeFileSync(`/proc/sys/net/ipv4/${name}`, value);
    sysctl("ip_forward", "1");
    // Daemons of the sandbox may bind ports below 1024 whoever they run as.
    sysctl("ip_unprivileged_port_start", "0");
    for (const site of siteNames) {
        const { number, node, bridgeRange } = siteAddresses(site);
        const bridge = bridgeOf(site);
        ip([
            `link add ${bridge} address ${bridgeHardware(number)} type bridge`,
            `address add ${bridgeRange} dev ${bridge}`,
            `link set ${bridge} up`,
            // Services, load balancers and AWS endpoints: a local route makes all of them ours, one by one when a program listens there.
            `route add local 10.${number}.128.0/17 dev lo src ${node}`,
        ]);
    }
    ip([
        `link add ${outsideBridge} address ${bridgeHardware(0)} type bridge`,
        `address add ${outsideGateway}/16 dev ${outsideBridge}`,
        ...[globalAws, witnessAws, resolverAddress, actors.checkers].map((own) => `address add ${own}/32 dev ${outsideBridge}`),
        `link set ${outsideBridge} up`,
    ]);
    for (const actor of actorsWithNamespace) {
        const site = siteAt(actors[actor]);
        attach(
            actor,
            site
                ? { bridge: bridgeOf(site), address: `${actors[actor]}/17`, gateway: siteAddresses(site).node }
                : { bridge: outsideBridge, address: `${actors[actor]}/16`, gateway: outsideGateway },
        );
    }
}

/** The bridge's end of a namespace's link: interface names have at most 15 characters. */
const outerOf = (name: string): string => `v-${name}`.slice(0, 15);

/**
 * Makes network namespace `name`, joined to a bridge by a veth pair.
 * @param where.address with its prefix length, as in "10.1.0.2/17"
 * @param where.gateway default route
 */
export function attach(name: string, where: { bridge: string; address: string; gateway: string }): void {
    const outer = outerOf(name);
    ip([`netns add ${name}`]);
    ip([`link add ${outer} type veth peer name eth0 netns ${name}`, `link set ${outer} master ${where.bridge} up`]);
    ip(["link set lo up", `address add ${where.address} dev eth0`, "link set eth0 up", `route add default via ${where.gateway}`], name);
    execFileSync("nsenter", [`--net=/run/netns/${name}`, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start"]);
}

/** Gives a namespace's address and name free. Its link goes first: a mount namespace elsewhere may keep the nameless rest of it alive for long. */
export function detach(name: string): void {
    ip([`link del ${outerOf(name)}`]);
    ip([`netns del ${name}`]);
}

/** Name of a pod's namespace, by its address. */
export const podNamespace = (address: string): string => `p${address.split(".").slice(1).join("-")}`;

/** Removes what a site's pods had of the network and did not live to give back. */
export function detachPods(site: SiteName): void {
    const { number } = siteAddresses(site);
    const names = execFileSync("ip", ["-json", "netns", "list"], { encoding: "utf8" });
    for (const { name } of JSON.parse(names || "[]") as { name: string }[]) if (name.startsWith(`p${number}-`)) detach(name);
}
