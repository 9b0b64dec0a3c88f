import { z } from "zod";
import { names, witnessRegion } from "./names.ts";
import { parseDuration, parseRate, parseSize, type Bytes, type BytesPerSecond, type Seconds } from "./units.ts";

const quantity = <T>(parse: (text: string) => T) =>
    z.string().transform((text, context): T => {
        try {
            return parse(text);
        } catch (error) {
            context.addIssue({ code: "custom", message: (error as Error).message });
            return z.NEVER;
        }
    });
const duration = quantity<Seconds>(parseDuration);
const size = quantity<Bytes>(parseSize);
const rate = quantity<BytesPerSecond>(parseRate);
const name = z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,30}$/, "a name has 2 to 31 lower-case letters, digits and dashes, and starts with a letter");
const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region is written like "us-west-2"');

export const siteNames = ["primary", "standby"] as const;
/** What a site was built as, and stays: never who is active (that is the epoch record's to say). */
export type SiteName = (typeof siteNames)[number];
export const otherSite = (site: SiteName): SiteName => (site === "primary" ? "standby" : "primary");

/** Where a store runs: `cluster`, as a StatefulSet that we declare. */
export const places = ["cluster"] as const;

const objective = z.strictObject({
    /** Time from the loss to the first good answer. */
    rto: duration,
    /** Span of acknowledged writes that may be lost. */
    rpo: duration,
});

const site = z.strictObject({ region });

/** The right of the active site's writers to go on writing, and how often they have it proven anew. */
const lease = z
    .strictObject({
        /** A proof that the epoch is unchanged is good for so long; an activation waits as long before it promotes. */
        duration: duration.default(parseDuration("15 s")),
        /** A guard asks for a new proof this often. */
        renewEvery: duration.default(parseDuration("2 s")),
    })
    .prefault({})
    .superRefine(({ duration, renewEvery }, context) => {
        const refuse = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
        if (renewEvery < 0.5) refuse("renewEvery", 'is shorter than a round trip to another region may take; write "0.5 s" or more');
        if (duration < 3 * renewEvery)
            refuse("duration", `leaves no room for a lost answer: make it at least three times renewEvery, ${3 * renewEvery} s`);
    });

const retention = z.strictObject({
    /** Every recovery point younger than this is kept. */
    all: duration.default(parseDuration("2 d")),
    /** After that, the newest one of each day, for so long. */
    daily: duration.default(parseDuration("30 d")),
});

const storeOf = (engines: readonly string[]) =>
    z.strictObject({
        /** What it is: a kind that `stores/` knows. */
        engine: z.string().refine((engine) => engines.includes(engine), `is not known; write one of ${engines.join(", ")}`),
        place: z.enum(places).default("cluster"),
        /** Name of the database inside the server. */
        database: name.default("orders"),
        /** Promise of the store alone, from backups. */
        objective,
        /** Space that the volume asks for. */
        volume: size.default(parseSize("10 GiB")),
        backup: z.strictObject({
            /** A backup starts this often (whole minutes). */
            every: duration,
            /** A backup that takes longer has failed. */
            limit: duration.default(parseDuration("10 min")),
            retention: retention.prefault({}),
            /** How a backup becomes a recovery point: a server is started from it, checked and compared with the source; or its bytes are read back and nothing else. */
            verify: z.enum(["start", "bytes"]).default("start"),
            /** Immutable for so long (object lock, compliance mode). */
            lock: duration.default(parseDuration("1 d")),
        }),
        replica: z
            .strictObject({
                /** A replica further behind than this is reported as unprotected. */
                maxLag: duration.default(parseDuration("5 s")),
            })
            .prefault({}),
        /** Data that the store is expected to hold, and the rates that backup and restore are expected to run at: inputs to the bounds. */
        expected: z
            .strictObject({
                data: size.default(parseSize("1 GiB")),
                backupRate: rate.default(parseRate("50 MB/s")),
                restoreRate: rate.default(parseRate("20 MB/s")),
            })
            .prefault({}),
    });

const service = z.strictObject({
    /** Container image; the sandbox maps it to a program on this machine. */
    image: z.string().min(1),
    /** Stores that it needs to answer. */
    needs: z.array(name).min(1),
    objective,
    /** Pods in the active site; the passive site has none. */
    pods: z.int().min(1).default(2),
    /** Path that the health check asks over HTTPS. */
    healthPath: z.string().startsWith("/").default("/health"),
    /** Port that the container listens on. */
    port: z.int().min(1).max(65535).default(8080),
});

const traffic = z.strictObject({
    /** TTL of the failover records (Route 53 answers with it). */
    ttl: duration.default(parseDuration("60 s")),
    healthCheck: z
        .strictObject({
            /** 10 s or 30 s: the two that Route 53 offers. */
            interval: duration.default(parseDuration("10 s")).refine((s) => s === 10 || s === 30, 'Route 53 offers "10 s" and "30 s"'),
            /** Failures in a row that make an endpoint unhealthy. */
            threshold: z.int().min(1).max(10).default(3),
        })
        .prefault({}),
});

/** Somebody to call, as the runbooks name them. */
const contact = z.strictObject({ name: z.string().min(1), role: z.string().min(1), reach: z.string().min(1) });

const schemaOf = (engines: readonly string[]) =>
    z
        .strictObject({
            name,
            /** The hosted zone; services and stores get names under it. */
            domain: z.string().regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'a domain is written like "orders.example"'),
            sites: z.strictObject({
                primary: site,
                standby: site,
                /** A third region, where nothing stands but one bucket: what guards of the active site ask when they cannot ask the standby. @default the standby's region */
                witness: site.optional(),
            }),
            stores: z.record(name, storeOf(engines)),
            services: z.record(name, service),
            traffic: traffic.prefault({}),
            lease,
            /** Time that people take to decide, inside the RTO: declared and counted, never waited for. */
            decision: duration,
            /** Whom to call, in this order; the first one decides. Printed in the runbooks. */
            contacts: z.array(contact).default([]),
        })
        .superRefine((estate, context) => {
            if (estate.sites.primary.region === estate.sites.standby.region)
                context.addIssue({
                    code: "custom",
                    path: ["sites", "standby", "region"],
                    message: `is the primary's own region ${estate.sites.primary.region}; name another one`,
                });
            const witness = estate.sites.witness?.region;
            const holder = siteNames.find((site) => estate.sites[site].region === witness);
            if (holder !== undefined)
                context.addIssue({
                    code: "custom",
                    path: ["sites", "witness", "region"],
                    message: `is the ${holder}'s own region ${witness}: they would be lost together; name a third one, or leave the witness out`,
                });
            for (const [service, { needs, objective }] of Object.entries(estate.services)) {
                needs.forEach((need, index) => {
                    if (!Object.hasOwn(estate.stores, need))
                        context.addIssue({
                            code: "custom",
                            path: ["services", service, "needs", index],
                            message: `"${need}" is not a store; the stores are ${Object.keys(estate.stores).join(", ") || "none"}`,
                        });
                });
                if (objective.rto <= estate.decision)
                    context.addIssue({
                        code: "custom",
                        path: ["services", service, "objective", "rto"],
                        message: `is not longer than the ${estate.decision} s that people take to decide; raise the RTO or shorten decision`,
                    });
            }
            for (const [store, { backup, objective }] of Object.entries(estate.stores)) {
                if (backup.every % 60 !== 0 || backup.every < 60 || 3600 % backup.every !== 0)
                    context.addIssue({
                        code: "custom",
                        path: ["stores", store, "backup", "every"],
                        message: 'must be whole minutes that divide an hour, as in "5 min"',
                    });
                if (backup.every > objective.rpo)
                    context.addIssue({
                        code: "custom",
                        path: ["stores", store, "backup", "every"],
                        message: `is longer than the store's RPO of ${objective.rpo} s; back up more often or promise less`,
                    });
                if (backup.limit > backup.every * 4)
                    context.addIssue({
                        code: "custom",
                        path: ["stores", store, "backup", "limit"],
                        message: "is over four times the interval; late backups would pile up",
                    });
            }
        });

/** What a person writes: quantities as text, defaults left out. */
export type EstateDeclaration = z.input<ReturnType<typeof schemaOf>>;
/** All that is declared, checked: quantities parsed, defaults filled in, cross-references resolved. */
export type Estate = z.output<ReturnType<typeof schemaOf>>;
export type Store = Estate["stores"][string];
export type Service = Estate["services"][string];
export type Objective = z.output<typeof objective>;
export type LeaseTerms = Estate["lease"];

/** A declaration that cannot be kept. Each line names the path, what is wrong and what would be right. */
export class EstateError extends Error {
    override readonly name = "EstateError";
    readonly problems: readonly string[];
    constructor(problems: readonly string[]) {
        super(
            `the estate has ${problems.length} ${problems.length === 1 ? "fault" : "faults"}:\n${problems.map((p) => `  ${p}`).join("\n")}`,
        );
        this.problems = problems;
    }
}

/**
 * Checks declarations whose stores are of these engines; `stores/estate.ts` has it for those that there are.
 * @returns a function that throws an EstateError naming every path that is wrong and what would be right
 */
export function defineEstateOf(engines: readonly string[]): (declaration: EstateDeclaration) => Estate {
    const schema = schemaOf(engines);
    return (declaration) => {
        const result = schema.safeParse(declaration);
        if (!result.success)
            throw new EstateError(result.error.issues.map((issue) => `${issue.path.join(".") || "estate"}: ${issue.message}`));
        const problems = longNames(result.data);
        if (problems.length > 0) throw new EstateError(problems);
        return result.data;
    };
}

/** S3 allows a bucket 63 letters, and the longest names that are derived have the region in them. */
function longNames(estate: Estate): string[] {
    const { vaultLogBucket, witnessBucket } = names(estate, "000000000000");
    const buckets = siteNames.map((site) => [estate.sites[site].region, vaultLogBucket(site)] as const);
    return [...buckets, [witnessRegion(estate), witnessBucket] as const].flatMap(([region, bucket]) => {
        const excess = bucket.length - 63;
        if (excess <= 0) return [];
        return [`name: is too long for a bucket in ${region}; use at most ${estate.name.length - excess} letters`];
    });
}
