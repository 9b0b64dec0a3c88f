import { siteNames, type Estate, type SiteName } from "../model/estate.ts";

/**
 * The sandbox's network: one network namespace that routes between three bridges, and a namespace of its own for each pod and actor.
 * 10.1.0.0/16 is the primary region, 10.2.0.0/16 the standby region, 10.3.0.0/16 the witness's region, where nothing stands but AWS, and 10.0.0.0/16
 * whatever stands outside all three.
 */
const numbers: Record<SiteName, number> = { primary: 1, standby: 2 };

export function siteAddresses(site: SiteName) {
    const n = numbers[site];
    return {
        number: n,
        /** All of the region: what vanishes when it is lost. */
        range: `10.${n}.0.0/16`,
        /** The bridge, the node and the control plane. */
        node: `10.${n}.0.1`,
        bridgeRange: `10.${n}.0.1/17`,
        podPrefix: `10.${n}`,
        serviceRange: `10.${n}.128.0/24`,
        /** Load balancers: the last number is that of the Service's cluster IP. */
        loadBalancerPrefix: `10.${n}.129`,
        /** AWS endpoints of the region. */
        aws: `10.${n}.255.1`,
    };
}

/** Parts of the network that can be cut off from each other. `outside`: whatever stands in no region. */
export const places = [...siteNames, "witness", "outside"] as const;
export type Place = (typeof places)[number];
/** Addresses of a place: what vanishes when it is lost or cut off. */
export const rangeOf: Readonly<Record<Place, string>> = {
    primary: siteAddresses("primary").range,
    standby: siteAddresses("standby").range,
    witness: "10.3.0.0/16",
    outside: "10.0.0.0/16",
};

/** AWS endpoints of the witness's region. */
export const witnessAws = "10.3.255.1";

/** Endpoints of the global control planes (IAM, Route 53, global STS). */
export const globalAws = "10.0.255.1";
export const resolverAddress = "10.0.0.53";
export const outsideGateway = "10.0.0.1";

/** Who makes calls; each has an address of its own, so that every call says who made it. */
export const actors = {
    /** A person, or CI: bootstrap, `pulumi up`, `sandbox exec`. */
    operator: "10.0.1.1",
    /** The activation and all that it starts. */
    activation: "10.0.5.1",
    customers: "10.0.2.1",
    /** Route 53's health checkers. */
    checkers: "10.0.3.1",
    /** Somebody inside a site's network, as its own customers are: what cuts the site off does not part them from it. */
    "primary-side": "10.1.127.1",
    "standby-side": "10.2.127.1",
    /** The rehearsal's own measuring and comparing. */
    harness: "10.0.4.1",
} as const;
export type Actor = keyof typeof actors;

/** Who an address belongs to: an actor, `pod:SITE`, `node:SITE`, or `sandbox`. */
export function whoIs(address: string): string {
    for (const [actor, own] of Object.entries(actors)) if (own === address) return actor;
    for (const site of siteNames) {
        const { number, node } = siteAddresses(site);
        if (address === node) return `node:${site}`;
        // Above the pods are Services, load balancers and AWS endpoints: programs of the sandbox itself.
        if (address.startsWith(`10.${number}.`)) return Number(address.split(".")[2]) < 128 ? `pod:${site}` : "sandbox";
    }
    return "sandbox";
}

/** The site that an address belongs to; undefined outside both. */
export const siteAt = (address: string): SiteName | undefined =>
    siteNames.find((site) => address.startsWith(`${siteAddresses(site).podPrefix}.`));

/** Regions as the sandbox has them: the witness only where the estate declares one. */
export type Regions = Readonly<Record<SiteName, string> & { witness?: string }>;

/** Address of each region's AWS endpoints, by region. */
export const regionalAws = (regions: Regions): Record<string, string> => ({
    ...Object.fromEntries(siteNames.map((site) => [regions[site], siteAddresses(site).aws])),
    ...(regions.witness === undefined ? {} : { [regions.witness]: witnessAws }),
});

export const regionsOf = ({ sites: { primary, standby, witness } }: Estate): Regions => ({
    primary: primary.region,
    standby: standby.region,
    ...(witness === undefined ? {} : { witness: witness.region }),
});

/** Account number of the sandbox's AWS. */
export const sandboxAccount = "123456789012";
