import {
    CloudWatchClient,
    DescribeAlarmsCommand,
    GetMetricStatisticsCommand,
    type Datapoint,
    type MetricAlarm,
    type Statistic,
} from "@aws-sdk/client-cloudwatch";
import {
    ListResourceRecordSetsCommand,
    ListTagsForResourceCommand,
    paginateListHealthChecks,
    paginateListHostedZones,
    Route53Client,
    type HealthCheck,
    type ListResourceRecordSetsCommandInput,
    type ListResourceRecordSetsCommandOutput,
    type ResourceRecordSet,
} from "@aws-sdk/client-route-53";
import { metricVerdict, type MetricVerdict } from "./health.ts";
import { plainName, type HealthCheckDeclaration, type RecordSet, type Zone } from "./zone-data.ts";

export interface Snapshot {
    readonly zones: readonly Zone[];
    readonly checks: readonly HealthCheckDeclaration[];
}

/** What a record declares that the resolver does not do. */
function beyond(record: ResourceRecordSet): string | undefined {
    if (record.AliasTarget) return "alias targets are beyond the sandbox";
    const routing = [
        record.Weight,
        record.Region,
        record.GeoLocation,
        record.MultiValueAnswer,
        record.CidrRoutingConfig,
        record.GeoProximityLocation,
    ];
    return routing.some((each) => each !== undefined && each !== false) ? "of routing policies the sandbox has failover only" : undefined;
}

export function readRecord(record: ResourceRecordSet): RecordSet {
    const unable = beyond(record);
    return {
        name: plainName(record.Name ?? ""),
        type: record.Type ?? "",
        ttl: record.TTL ?? 0,
        values: (record.ResourceRecords ?? []).map((each) => each.Value ?? ""),
        ...(record.SetIdentifier === undefined ? {} : { setIdentifier: record.SetIdentifier }),
        ...(record.Failover === undefined ? {} : { failover: record.Failover }),
        ...(record.HealthCheckId === undefined ? {} : { healthCheckId: record.HealthCheckId }),
        ...(unable === undefined ? {} : { beyond: unable }),
    };
}

function readCheck({ Id = "", HealthCheckConfig: config }: HealthCheck, tag: string | undefined): HealthCheckDeclaration {
    const alarm = config?.AlarmIdentifier;
    return {
        id: Id,
        name: tag ?? config?.FullyQualifiedDomainName ?? alarm?.Name ?? Id,
        type: config?.Type ?? "",
        inverted: config?.Inverted ?? false,
        disabled: config?.Disabled ?? false,
        ...(config?.FullyQualifiedDomainName === undefined ? {} : { host: config.FullyQualifiedDomainName }),
        ...(config?.IPAddress === undefined ? {} : { address: config.IPAddress }),
        ...(config?.Port === undefined ? {} : { port: config.Port }),
        path: config?.ResourcePath ?? "/",
        sni: config?.EnableSNI ?? false,
        interval: config?.RequestInterval ?? 30,
        threshold: config?.FailureThreshold ?? 3,
        children: config?.ChildHealthChecks ?? [],
        healthThreshold: config?.HealthThreshold ?? 0,
        ...(alarm ? { alarm: { region: alarm.Region!, name: alarm.Name! } } : {}),
        insufficient: config?.InsufficientDataHealthStatus ?? "LastKnownStatus",
    };
}

/**
 * Reads hosted zones, health checks and metrics of the account, as Route 53's own insides do: from the stand-in itself, not through the gate.
 * @param endpoint of moto, as in "http://127.0.0.1:5000"
 */
export function route53Reader(endpoint: string) {
    const common = { endpoint, credentials: { accessKeyId: "AKIAROUTE53", secretAccessKey: "route53" }, maxAttempts: 1 };
    const client = new Route53Client({ ...common, region: "us-east-1" });
    const tags = new Map<string, { name: string | undefined; at: number }>();
    const alarms = new Map<string, { definition: MetricAlarm; at: number }>();
    const clouds = new Map<string, CloudWatchClient>();
    const cloudwatch = (region: string) => {
        const known = clouds.get(region) ?? new CloudWatchClient({ ...common, region });
        clouds.set(region, known);
        return known;
    };

    /** Tags are put after the check is made, and rarely change. */
    async function nameTag(id: string): Promise<string | undefined> {
        const known = tags.get(id);
        if (known && (known.name !== undefined || Date.now() - known.at < 5000)) return known.name;
        const answer = await client.send(new ListTagsForResourceCommand({ ResourceType: "healthcheck", ResourceId: id }));
        const name = answer.ResourceTagSet?.Tags?.find((tag) => tag.Key === "Name")?.Value;
        tags.set(id, { name, at: Date.now() });
        return name;
    }

    /** Definitions hardly ever change, and are read again after five seconds; one that is not there yet is asked for each time. */
    async function alarmDefinition({ region, name }: { region: string; name: string }): Promise<MetricAlarm | undefined> {
        const key = `${region} ${name}`;
        const kept = alarms.get(key);
        if (kept && Date.now() - kept.at < 5000) return kept.definition;
        const { MetricAlarms } = await cloudwatch(region).send(new DescribeAlarmsCommand({ AlarmNames: [name] }));
        const definition = MetricAlarms?.[0];
        if (definition) alarms.set(key, { definition, at: Date.now() });
        else alarms.delete(key);
        return definition;
    }

    /** The SDK has no paginator for this one. */
    async function readRecords(HostedZoneId: string): Promise<RecordSet[]> {
        const records: RecordSet[] = [];
        let from: Partial<ListResourceRecordSetsCommandInput> | undefined = {};
        while (from) {
            const page: ListResourceRecordSetsCommandOutput = await client.send(
                new ListResourceRecordSetsCommand({ HostedZoneId, ...from }),
            );
            records.push(...(page.ResourceRecordSets ?? []).map(readRecord));
            const { NextRecordName: StartRecordName, NextRecordType: StartRecordType, NextRecordIdentifier: StartRecordIdentifier } = page;
            from = page.IsTruncated ? { StartRecordName, StartRecordType, StartRecordIdentifier } : undefined;
        }
        return records;
    }

    return {
        async snapshot(): Promise<Snapshot> {
            const zones: Zone[] = [];
            for await (const page of paginateListHostedZones({ client }, {}))
                for (const { Id, Name } of page.HostedZones ?? []) {
                    const records = await readRecords(Id!);
                    zones.push({ name: plainName(Name ?? ""), records });
                }
            const checks: HealthCheckDeclaration[] = [];
            for await (const page of paginateListHealthChecks({ client }, {}))
                for (const check of page.HealthChecks ?? []) checks.push(readCheck(check, await nameTag(check.Id!)));
            return { zones, checks };
        },

        /**
         * What an alarm's metric says now: its newest datum within the alarm's window and two periods more (data is late at times), by the alarm's statistic.
         * @throws Error for an alarm that is not there, and for one of a kind that Route 53 does not take (metric math, percentiles, M out of N)
         */
        async metric(alarm: { region: string; name: string }): Promise<MetricVerdict> {
            const client = cloudwatch(alarm.region);
            const definition = await alarmDefinition(alarm);
            if (!definition) return "insufficient";
            const {
                Namespace,
                MetricName,
                Statistic,
                Period,
                EvaluationPeriods = 1,
                DatapointsToAlarm,
                Threshold,
                ComparisonOperator,
                Dimensions,
            } = definition;
            if (
                !Namespace ||
                !MetricName ||
                !Statistic ||
                !Period ||
                Threshold === undefined ||
                (DatapointsToAlarm ?? EvaluationPeriods) !== EvaluationPeriods
            )
                throw new Error(`alarm ${alarm.name}: a health check needs a metric, a plain statistic, and no "M out of N"`);
            const end = new Date(Date.now() + 2000);
            const { Datapoints } = await client.send(
                new GetMetricStatisticsCommand({
                    Namespace,
                    MetricName,
                    Dimensions,
                    StartTime: new Date(end.getTime() - (EvaluationPeriods + 2) * Period * 1000),
                    EndTime: end,
                    // The newest datum, not the whole minute's: how long CloudWatch takes to fill a period is modelled, not waited for.
                    Period: 1,
                    Statistics: [Statistic],
                }),
            );
            const newest = (Datapoints ?? []).toSorted((a, b) => a.Timestamp!.getTime() - b.Timestamp!.getTime()).at(-1);
            const treatMissingData = definition.TreatMissingData ?? "missing";
            return metricVerdict(newest && valueOf(newest, Statistic), {
                comparison: ComparisonOperator ?? "",
                threshold: Threshold,
                treatMissingData,
            });
        },
    };
}
export type Route53Reader = ReturnType<typeof route53Reader>;

const valueOf = (datum: Datapoint, statistic: Statistic): number | undefined => datum[statistic];
