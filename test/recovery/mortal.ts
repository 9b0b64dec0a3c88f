/**
 * One life of an activation as a process of its own, for killed.test.ts: `node mortal.ts ENDPOINT BUCKET POINT`. It begins or resumes the
 * one activation of the bucket, with the real journal and with effects that are real calls to S3, and at POINT sends itself SIGKILL:
 * "before WRITE" or "after WRITE", where WRITE is an entry's event and step ("begun scale", "closed") or an object's key ("world/scale",
 * "epoch.json"). At "frozen in STEP" it stops and can be continued; "never" it lives on.
 */
import { S3Client } from "@aws-sdk/client-s3";
import { resumeActivation } from "../../recovery/activate.ts";
import { runActivation } from "../../recovery/activation.ts";
import { coordinationBucket, type CoordinationBucket } from "../../recovery/conditional-bucket.ts";
import { openJournal } from "../../recovery/journal/journal.ts";
import { credentials, region } from "./account.ts";
import { effectsOn, estate, opened, plan, quiet } from "./doubles.ts";

const [endpoint = "", name = "", point = "never"] = process.argv.slice(2);
const real = coordinationBucket(new S3Client({ region, endpoint, credentials, forcePathStyle: true }), name);
const signal = new AbortController().signal;

const die = (how: NodeJS.Signals = "SIGKILL") => {
    process.kill(process.pid, how);
    return how === "SIGKILL" ? new Promise<never>(() => undefined) : Promise.resolve();
};
let writes = 0;
const nameOf = (key: string, text: string): string => {
    if (!key.startsWith("journal/")) return key;
    const { event } = JSON.parse(text) as { event: { kind: string; step?: string } };
    return event.step === undefined ? event.kind : `${event.kind} ${event.step}`;
};
async function write<T>(name: string, effect: () => Promise<T>): Promise<T> {
    writes += 1;
    if (point === `before ${name}`) await die();
    const result = await effect();
    if (point === `after ${name}`) await die();
    return result;
}
const bucket: CoordinationBucket = {
    ...real,
    create: (key, text) => write(nameOf(key, text), () => real.create(key, text)),
    replace: (key, text, etag) => write(key, () => real.replace(key, text, etag)),
};

const started = (await real.list("journal/")).length > 0;
const resumed = started ? await resumeActivation({ estate, bucket, plan, note: () => undefined, signal }) : undefined;
if (resumed !== undefined && "ended" in resumed) {
    process.stdout.write(JSON.stringify({ outcome: resumed.ended.outcome, writes }));
} else {
    const journal = resumed?.journal ?? (await openJournal(bucket, "20261121T154010Z-9f3c", opened));
    const effects = effectsOn(bucket, journal, async (step) => {
        if (point === `frozen in ${step}`) await die("SIGSTOP");
    });
    const state = await runActivation({ ...quiet, journal, effects, signal });
    process.stdout.write(JSON.stringify({ outcome: state.outcome, writes }));
}
