import { isRecord, list, record, type Props, type Value } from "../values.ts";

interface Fault {
    type: string;
    reason: string;
    /** The property whose answer is set aside where the program gave a value, or what makes the answer right. */
    mend: readonly string[] | ((live: Props) => Props);
}

/**
 * What moto 5.2.5 answers wrongly, one by one: the property, and why it is not a drift. Nothing else is overlooked. A fault that moto has mended makes
 * its line useless, not wrong: the service's answer is only set aside where the program gave a value.
 */
export const motoFaults: readonly Fault[] = [
    {
        type: "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        reason: "GetBucketReplication always answers Disabled, whatever was put",
        mend: ["rules", "*", "deleteMarkerReplication"],
    },
    {
        type: "aws:secretsmanager/secret:Secret",
        reason: "DescribeSecret answers alias/aws/secretsmanager as every replica's key, whatever key it was given",
        mend: ["replicas", "*", "kmsKeyId"],
    },
    {
        type: "aws:ec2/launchTemplate:LaunchTemplate",
        reason: "the template's own tags are answered as a tagSpecification of its data, where EC2 has those of instances and volumes only",
        mend: (live) => ({
            ...live,
            tagSpecifications: list(live["tagSpecifications"]).filter((one) => record(one)["resourceType"] !== "launch-template"),
        }),
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
    motoFaults
        .filter((fault) => fault.type === type)
        .reduce((answer, { mend }) => (typeof mend === "function" ? mend(answer) : (replace(given, answer, mend) as Props)), live);
