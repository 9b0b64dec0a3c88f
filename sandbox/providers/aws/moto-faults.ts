import { isRecord, type Props, type Value } from "../values.ts";

/**
 * What moto 5.2.5 answers wrongly, one by one: the property, and why it is not a drift. Nothing else is overlooked. A fault that moto has mended makes
 * its line useless, not wrong: the service's answer is only set aside where the program gave a value.
 */
export const motoFaults: readonly { type: string; path: readonly string[]; reason: string }[] = [
    {
        type: "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        path: ["rules", "*", "deleteMarkerReplication"],
        reason: "GetBucketReplication always answers Disabled, whatever was put",
    },
];

function replace(given: Value, live: Value, path: readonly string[]): Value {
    const [step, ...rest] = path;
    if (step === undefined) return given === undefined ? live : given;
    if (step === "*") return Array.isArray(live) ? live.map((item, index) => replace(Array.isArray(given) ? given[index] : undefined, item, rest)) : live;
    if (!isRecord(live)) return live;
    const inner = replace(isRecord(given) ? given[step] : undefined, live[step], rest);
    return { ...live, ...(inner !== undefined && { [step]: inner }) };
}

/** The service's answer with moto's known faults replaced by what the program gave. */
export const overlook = (type: string, given: Props, live: Props): Props =>
    motoFaults.filter((fault) => fault.type === type).reduce((answer, fault) => replace(given, answer, fault.path) as Props, live);
