/** A shipper of a line server's log in a process of its own, to be killed at any point. Arguments: JSON {store, server, directory, sealBytes, pause}. */
import { S3Client } from "@aws-sdk/client-s3";
import { setTimeout as sleep } from "node:timers/promises";
import { shipLog } from "../../../../backup/log/ship.ts";
import { at, clientsOf, estate } from "../../support/account.ts";
import { lineLog } from "./engine.ts";

const { store, server, directory, sealBytes, pause } = JSON.parse(process.argv[2]!) as {
    store: string;
    server: string;
    directory: string;
    sealBytes: number;
    pause: number;
};
estate.stores[store] = estate.stores["shop-mariadb"]!;
const { s3 } = clientsOf("standby");
if (!(s3 instanceof S3Client)) throw new Error("no client");
// Time to be killed before a piece is put, and after it.
s3.middlewareStack.add(
    (next, context) => async (args) => {
        if (context["commandName"] === "PutObjectCommand") await sleep(pause);
        const answer = await next(args);
        if (context["commandName"] === "PutObjectCommand") await sleep(pause);
        return answer;
    },
    { step: "initialize" },
);
const shipping = shipLog(
    at("standby"),
    store,
    { host: "localhost", port: 0, user: "", password: "", database: "", socketDirectory: server },
    directory,
    {
        signal: new AbortController().signal,
        note: (line) => process.stderr.write(`${line}\n`),
        sealAfter: 60,
        poll: 10,
        sealBytes,
        log: lineLog(),
    },
);
process.stdout.write(`${await shipping.history()}\n`);
