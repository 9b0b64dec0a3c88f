import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { whoIs } from "../addresses.ts";
import { serveControl } from "../control.ts";
import { copySource, judge, type Upload } from "./access.ts";
import { accountView } from "./account-view.ts";
import { auditLog, type AuditLine } from "./audit.ts";
import { needsBody, readCall, type Call, type RequestHead } from "./call.ts";
import { readEndpoint, readScope, services, type Dialect } from "./endpoints.ts";
import { forward } from "./forward.ts";
import { keyRing, type Known } from "./principals.ts";
import { errorDocument, refusals, type Refusal } from "./refusals.ts";
import { judgeWebIdentity } from "./web-identity.ts";

export interface GateOptions {
    /** Certificate and key (PEM files) of the endpoints. */
    readonly certificate: { readonly cert: string; readonly key: string };
    /** Where it listens; `region` undefined: the endpoints outside every region. */
    readonly listeners: readonly { readonly address: string; readonly port: number; readonly region?: string }[];
    /** The stand-in, as in "http://127.0.0.1:5000". */
    readonly moto: string;
    /** Issuer without `https://` -> PEM file of the key that it signs tokens with. */
    readonly tokenKeys: Readonly<Record<string, string>>;
    /** JSON lines; absent: in memory only. */
    readonly auditFile?: string;
    /** Unix socket: GET /audit?since=ISO, GET and PUT /refuse. */
    readonly socket?: string;
}

/** What the gate refuses although the account would allow it. */
export interface Refused {
    /** Writes that global control planes carry out (IAM, Route 53, buckets and their settings). @default false */
    readonly globalWrites: boolean;
    /** Regions that answer nothing, and whose buckets cannot be copied from. @default [] */
    readonly regions: readonly string[];
}

/** Longest body that is read to judge a call: EC2 user data, policies and secrets are far below. */
const longestBody = 4 * 2 ** 20;
const longestDelete = 8 * 2 ** 20;
const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Paths of the stand-in that are no AWS. */
const insides = /^\/(_sandbox|moto-api)(\/|$)/;
const kept = new Set(["AssumeRole", "AssumeRoleWithWebIdentity", "CreateMultipartUpload"]);

/**
 * The AWS endpoints of a sandbox: TLS on an address a region, in front of one stand-in that has no regions of its own to lose. It knows each call's region (by the
 * address dialled), service (by the host), caller (by the source address) and principal (by the access key), refuses what IAM would refuse, and writes it all down.
 * Signatures are not verified; an access key that nobody was given is refused.
 */
export async function startGate(options: GateOptions) {
    const moto = new URL(options.moto);
    const view = accountView(options.moto);
    const keys = keyRing();
    const audit = auditLog(options.auditFile);
    const uploads = new Map<string, Upload>();
    const [cert, key] = await Promise.all([readFile(options.certificate.cert), readFile(options.certificate.key)]);
    let refused: Refused = { globalWrites: false, regions: [] };

    /** Everything that may stand in a call's way, in the order in which AWS would notice it. */
    async function judgeCall(call: Call): Promise<{ refusal?: Refusal; unknown: readonly string[]; known?: Known }> {
        const { dialect, region } = call;
        const no = (refusal: Refusal, known?: Known) => ({ refusal, unknown: [], ...(known ? { known } : {}) });
        if (refused.regions.includes(region)) return no(refusals.unavailable(dialect, `region ${region} is lost`));
        if (refused.globalWrites && call.globalWrite) return no(refusals.unavailable(dialect, "global control planes take no writes"));
        if (call.service === "sts" && call.operation === "AssumeRoleWithWebIdentity")
            return judgeWebIdentity(call, view, options.tokenKeys, Date.now() / 1000);
        if (!call.scope) return no(refusals.unsigned(dialect));
        const known = keys.find(call.scope.accessKey, Date.now());
        if (!known) return no(refusals.unknownKey(dialect, call.scope.accessKey));
        const expected = region === "global" ? "us-east-1" : region;
        if (call.scope.region !== expected) return no(refusals.wrongScope(dialect, call.scope.region, expected), known);
        if (call.bucket !== undefined && call.operation !== "CreateBucket") {
            const home = await view.bucketHome(call.bucket);
            if (home !== undefined && home !== region) return no(refusals.permanentRedirect(call.bucket, home), known);
        }
        const source = copySource(call);
        const sourceHome = source && (await view.bucketHome(source.bucket));
        if (sourceHome && refused.regions.includes(sourceHome))
            return no(refusals.unavailable(dialect, `the copy's source is in ${sourceHome}, which is lost`), known);
        return { ...(await judge(call, known, view, uploads)), known };
    }

    function learn(call: Call, status: number, answer: string): void {
        if (status !== 200) return;
        if (call.service === "sts") return void keys.learn(answer);
        const id = /<UploadId>([^<]+)<\/UploadId>/.exec(answer)?.[1];
        if (id === undefined) throw new Error(`the answer to CreateMultipartUpload has no UploadId: ${answer}`);
        const [encryption, keyId] = ["", "-aws-kms-key-id"].map((suffix) => call.headers[`x-amz-server-side-encryption${suffix}`]);
        uploads.set(id, {
            ...(typeof encryption === "string" ? { encryption } : {}),
            ...(typeof keyId === "string" ? { keyId } : {}),
        });
    }

    async function handle(listening: string | undefined, incoming: IncomingMessage, outgoing: ServerResponse, expects: boolean) {
        const began = performance.now();
        const source = (incoming.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
        const seen = { at: new Date().toISOString(), source, who: whoIs(source), region: listening ?? "global" };
        const record = (line: Omit<AuditLine, "milliseconds" | keyof typeof seen>) =>
            audit.add({ ...seen, ...line, milliseconds: Math.round(performance.now() - began) });
        const refuse = (dialect: Dialect, refusal: Refusal) => {
            const id = randomUUID();
            const { type, body } = errorDocument(dialect, refusal, id);
            // What is left of the request's body is not wanted: the connection ends with the answer instead of waiting for it.
            const unread = !incoming.complete;
            outgoing.writeHead(refusal.status, {
                "content-type": type,
                "content-length": Buffer.byteLength(body),
                "x-amzn-requestid": id,
                "x-amz-request-id": id,
                ...(dialect === "json" ? { "x-amzn-errortype": refusal.code } : {}),
                ...refusal.headers,
                ...(unread ? { connection: "close" } : {}),
            });
            outgoing.end(incoming.method === "HEAD" ? undefined : body);
            incoming.resume();
        };
        const host = incoming.headers.host ?? "";
        const url = incoming.url ?? "/";
        const method = incoming.method ?? "GET";
        const endpoint = readEndpoint(host);
        const traits = endpoint && Object.hasOwn(services, endpoint.service) ? services[endpoint.service] : undefined;
        const unread = (service: string, status: number, why: string) =>
            record({
                service,
                action: `${method} ${url.split("?")[0]}`,
                write: method !== "GET" && method !== "HEAD",
                status,
                refused: why,
            });
        if (!endpoint || !traits) {
            const refusal = refusals.unknownService(endpoint?.service ?? host);
            refuse(incoming.headers["x-amz-target"] === undefined ? "query" : "json", refusal);
            return unread(endpoint?.service ?? host, refusal.status, refusal.why);
        }
        // Outside every region stand the services that have no other endpoint, and the global endpoint of STS.
        const outside = endpoint.region === undefined && (traits.global === true || endpoint.service === "sts");
        const misdialled = listening === undefined ? !outside : traits.global || (endpoint.region ?? "us-east-1") !== listening;
        if (misdialled || insides.test(decodeURIComponent(url))) {
            const refusal: Refusal = {
                status: 400,
                code: "InvalidRequest",
                message: `${host}${url} is not to be had here`,
                why: "wrong address",
            };
            refuse(traits.dialect, refusal);
            return unread(endpoint.service, refusal.status, refusal.why);
        }
        const scope = readScope(incoming.headers.authorization, new URL(url, "http://x").searchParams);
        const head: RequestHead = { method, url, headers: incoming.headers, endpoint, region: listening ?? "global", scope, source };
        const reading = needsBody(head);
        if (reading && expects) outgoing.writeContinue();
        const body = reading ? await readBody(incoming, traits.dialect === "s3" ? longestDelete : longestBody) : undefined;
        const call = readCall(head, body);
        if (!call || (call.bucket !== undefined && !bucketName.test(call.bucket))) {
            const refusal: Refusal = call
                ? {
                      status: 400,
                      code: "InvalidBucketName",
                      message: "The specified bucket is not valid.",
                      why: `no bucket name: ${call.bucket}`,
                  }
                : {
                      status: 501,
                      code: "NotImplemented",
                      message: `The sandbox does not know ${method} ${url.split("?")[0]}.`,
                      why: "unknown operation",
                  };
            refuse(traits.dialect, refusal);
            return unread(endpoint.service, refusal.status, refusal.why);
        }
        const { refusal, unknown, known } = await judgeCall(call);
        const line = {
            service: call.service,
            action: call.operation,
            write: call.write,
            ...(call.globalWrite ? { globalWrite: true as const } : {}),
            ...(call.bucket === undefined ? {} : { bucket: call.bucket }),
            ...(call.key === undefined ? {} : { key: call.key }),
            ...(known ? { principal: known.principal.session ?? known.principal.arn } : {}),
            ...(unknown.length > 0 ? { unknownConditions: unknown } : {}),
        };
        if (unknown.length > 0) console.error(`unknown conditions of ${call.actions.join(", ")}: ${unknown.join("; ")}`);
        if (refusal) {
            refuse(call.dialect, refusal);
            return record({ ...line, status: refusal.status, refused: refusal.why });
        }
        if (expects && !reading) outgoing.writeContinue();
        try {
            const { status } = await forward(moto, incoming, outgoing, body, kept.has(call.operation), (code, answer) =>
                learn(call, code, answer),
            );
            record({ ...line, status });
            const over = call.operation === "CompleteMultipartUpload" || call.operation === "AbortMultipartUpload";
            if (over && status < 300) uploads.delete(call.query.get("uploadId") ?? "");
        } catch (error) {
            record({ ...line, status: 502, refused: `broken off: ${(error as Error).message}` });
            throw error;
        } finally {
            if (call.write) view.written(call.service, call.operation);
        }
    }

    const respond = (region: string | undefined, expects: boolean) => (incoming: IncomingMessage, outgoing: ServerResponse) => {
        handle(region, incoming, outgoing, expects).catch((error: Error) => {
            console.error(`${incoming.method} ${incoming.headers.host}${incoming.url}: ${error.stack}`);
            if (outgoing.headersSent) outgoing.destroy();
            else outgoing.writeHead(502, { "content-type": "text/plain", connection: "close" }).end(`the gate failed: ${error.message}`);
        });
    };
    const servers: Server[] = [];
    for (const { address, port, region } of options.listeners) {
        const server = createServer({ cert, key, ALPNProtocols: ["http/1.1"], requestTimeout: 0, keepAliveTimeout: 60_000 });
        server.on("request", respond(region, false)).on("checkContinue", respond(region, true));
        await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, address, resolve));
        servers.push(server);
    }
    const control = options.socket
        ? await serveControl(options.socket, {
              "GET /audit": (_, query) => audit.since(query.get("since")),
              "GET /refuse": () => refused,
              "PUT /refuse": (body) => (refused = readRefused(body)),
          })
        : undefined;
    return {
        /** Ports in the order of the listeners (useful where port 0 was asked for). */
        ports: servers.map((server) => (server.address() as { port: number }).port),
        audit: (since?: string) => audit.since(since ?? null),
        refuse: (what: Partial<Refused>): void => void (refused = readRefused(what)),
        async close(): Promise<void> {
            for (const server of [...servers, ...(control ? [control] : [])]) {
                server.closeAllConnections();
                await new Promise((resolve) => server.close(resolve));
            }
            await audit.close();
        },
    };
}

/** @throws Error when it is anything but `{"globalWrites": boolean, "regions": ["us-east-1"]}`, either of which may be left out */
function readRefused(body: unknown): Refused {
    const { globalWrites = false, regions = [], ...rest } = (body ?? {}) as Record<string, unknown>;
    const strings = Array.isArray(regions) && regions.every((each) => typeof each === "string");
    if (typeof globalWrites !== "boolean" || !strings || Object.keys(rest).length > 0)
        throw new Error('write {"globalWrites": true, "regions": ["us-east-1"]}');
    return { globalWrites, regions: regions as string[] };
}

async function readBody(incoming: IncomingMessage, limit: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of incoming) {
        chunks.push(chunk as Buffer);
        length += (chunk as Buffer).length;
        if (length > limit) throw new Error(`a body of over ${limit} bytes where a small one belongs`);
    }
    return Buffer.concat(chunks);
}
