/**
 * Sends so many bytes through the pipeline into a vault and fetches them back, in a process of its own; prints the most memory that it held, in MiB:
 * node through.ts '{"bytes": 1048576, "region": "eu-west-1", "account": "…", "bucket": "…", "envelopeKey": "arn:…", "store": "…"}'
 */
import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { z } from "zod";
import { awsClients } from "../../../backup/clients.ts";
import { encrypting } from "../../../backup/envelope.ts";
import { receive, send } from "../../../backup/pipeline.ts";
import { newPoint } from "../../../backup/point.ts";
import { generated, MiB } from "./generated.ts";

const asked = z.strictObject({
    ...{ bytes: z.int(), region: z.string(), account: z.string() },
    ...{ bucket: z.string(), envelopeKey: z.string(), store: z.string() },
});

const { bytes, region, account, bucket, envelopeKey, store } = asked.parse(JSON.parse(process.argv[2] ?? "{}"));
const { s3, kms } = awsClients(region);
const { signal } = new AbortController();
const point = newPoint(new Date());
const sent = await send({
    ...{ source: generated(bytes), whole: () => Promise.resolve(), envelope: encrypting(kms, envelopeKey, { store, point }) },
    ...{ s3, bucket, key: `${store}/${point}/data`, partBytes: 5 * MiB, signal },
});
assert.equal(sent.dump.bytes, bytes);
let arrived = 0;
const received = await receive({
    ...{ s3, kms, account, bucket, bytes: sent.stored.bytes, signal },
    ...{ key: `${store}/${point}/data`, context: { store, point } },
    sink: new Writable({ write: (part: Buffer, _encoding, done) => ((arrived += part.length), done()) }),
});
assert.deepEqual([received.dump, received.stored, arrived], [sent.dump, sent.stored, bytes]);
console.log(Math.round(process.resourceUsage().maxRSS / 1024));
// Kept connections would hold the process for a while.
process.exit(0);
