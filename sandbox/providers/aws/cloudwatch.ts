import { text } from "../values.ts";
import { amount, flag, fromSdk, pairs, setOf, toSdk, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

const fields: Fields = {
    name: words("AlarmName"),
    alarmDescription: words(),
    comparisonOperator: words(),
    evaluationPeriods: amount(),
    datapointsToAlarm: amount(),
    metricName: words(),
    namespace: words(),
    period: amount(),
    statistic: words(),
    threshold: amount(undefined, { assumed: 0 }),
    treatMissingData: words(undefined, { assumed: "missing" }),
    unit: words(),
    dimensions: pairs("Name", "Value"),
    actionsEnabled: flag(undefined, { assumed: true }),
    alarmActions: setOf(words()),
    okActions: setOf(words(), "OKActions"),
    insufficientDataActions: setOf(words()),
};

async function put(call: Call): Promise<string> {
    const { sdk, client } = await call.aws.use("cloudwatch", call.region);
    const Tags = Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
    const AlarmName = text(call.inputs["name"]);
    await client.send(
        new sdk.PutMetricAlarmCommand({
            ...toSdk<{ AlarmName: string; EvaluationPeriods: number; ComparisonOperator: "LessThanThreshold" }>(fields, call.inputs),
            ...(call.id === "" && Tags.length > 0 && { Tags }),
        }),
    );
    return AlarmName;
}

/** An alarm on one metric; `metricQueries` and anomaly detection are refused. */
const metricAlarm: Entry = {
    fields,
    required: ["comparisonOperator", "evaluationPeriods", "metricName", "namespace", "period", "threshold"],
    outputs: ["arn"],
    tagged: true,
    named: { property: "name", limit: 255 },
    create: put,
    async read(call) {
        const { sdk, client } = await call.aws.use("cloudwatch", call.region);
        const { MetricAlarms = [] } = await client.send(new sdk.DescribeAlarmsCommand({ AlarmNames: [call.id] }));
        const [found] = MetricAlarms;
        if (!found) return undefined;
        const { Tags = [] } = await client.send(new sdk.ListTagsForResourceCommand({ ResourceARN: found.AlarmArn! }));
        return { ...fromSdk(fields, found), arn: found.AlarmArn!, tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key!, Value!])) };
    },
    async update(call) {
        await put(call);
        if (!call.changed("tags")) return;
        const { sdk, client } = await call.aws.use("cloudwatch", call.region);
        const ResourceARN = text(call.state["arn"]);
        const gone = Object.keys((call.state["tagsAll"] ?? {}) as object).filter((name) => !(name in call.tags));
        if (gone.length > 0) await client.send(new sdk.UntagResourceCommand({ ResourceARN, TagKeys: gone }));
        const Tags = Object.entries(call.tags).map(([Key, Value]) => ({ Key, Value }));
        if (Tags.length > 0) await client.send(new sdk.TagResourceCommand({ ResourceARN, Tags }));
    },
    async delete(call) {
        const { sdk, client } = await call.aws.use("cloudwatch", call.region);
        await client.send(new sdk.DeleteAlarmsCommand({ AlarmNames: [call.id] }));
    },
};

/** Source: https://www.pulumi.com/registry/packages/aws/api-docs/cloudwatch/metricalarm/ and PutMetricAlarm's reference. */
export const cloudwatchTypes: Readonly<Record<string, Entry>> = { "cloudwatch/metricAlarm:MetricAlarm": metricAlarm };
