import { isRecord, type Props, type Value } from "../values.ts";

interface Fault {
    type: string;
    reason: string;
    /** Path of the property whose answer is set aside where the program gave a value. */
    path: readonly string[];
}

/**
 * What moto 5.2.5 answers wrongly, one by one: the property, and why it is not a drift. Nothing else is overlooked. A fault that moto has mended makes
 * its line useless, not wrong: the service's answer is only set aside where the program gave a value.
 */
export const motoFaults: readonly Fault[] = [
    {
        type: "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        reason: "GetBucketReplication always answers Disabled, whatever was put",
        path: ["rules", "*", "deleteMarkerReplication"],
    },
    {
        type: "aws:secretsmanager/secret:Secret",
        reason: "DescribeSecret answers alias/aws/secretsmanager as every replica's key, whatever key it was given",
        path: ["replicas", "*", "kmsKeyId"],
    },
];

function replace(given: Value, live: Value, path: readonly string[]): Value {
    const [step, ...rest] = path;
    if (step === undefined) return given === undefined ? live : given;
    if (step === "*")
        return Array.isArray(live) ? live.map((item, index) => replace(Array.isArray(given) ? given[index] : undefined, item, rest)) : live;
    if (!isRecord(live)) return live;
    const inner = replace(isRecord(given) ? given[step] : undefined, live[step], rest);
    return { ...live, ...(inner !== undefined && { [step]: inner }) };
}

/** The service's answer with moto's known faults replaced by what the program gave. */
export const overlook = (type: string, given: Props, live: Props): Props =>
    motoFaults.filter((fault) => fault.type === type).reduce((answer, { path }) => replace(given, answer, path) as Props, live);
