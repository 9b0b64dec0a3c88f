import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import packet, { type Answer, type DecodedPacket, type Packet } from "dns-packet";
import { whoIs } from "../addresses.ts";
import { serveControl } from "../control.ts";
import { answer, type AnswerRecord, type Reply, type World } from "./answer.ts";
import { awsAddress } from "./aws-names.ts";
import { startCheckers } from "./checkers.ts";
import { route53Reader, type Snapshot } from "./route53.ts";

export interface DnsOptions {
    readonly address: string;
    readonly port: number;
    readonly moto: string;
    /** Region -> address of its AWS endpoints. */
    readonly regions: Readonly<Record<string, string>>;
    /** Address of the AWS endpoints outside every region. */
    readonly global: string;
    /** Divides the intervals of health checks and the TTLs that are answered. */
    readonly fast: number;
    /** Address that health checkers ask from. */
    readonly checkersFrom?: string;
    /** Unix socket: GET /health, GET /queries?since=ISO, GET /ready. */
    readonly socket?: string;
    /** How often zones and health checks are read, in ms. @default 1000 */
    readonly everyMs?: number;
}

/** One question, and who asked it. */
export interface QueryLine {
    readonly at: string;
    readonly source: string;
    readonly who: string;
    readonly transport: "udp" | "tcp";
    readonly name: string;
    readonly type: string;
    readonly rcode: string;
    /** As in "A 10.1.129.7 60". */
    readonly answers: readonly string[];
}

const longestLog = 50_000;

/**
 * The sandbox's DNS: the names of AWS, and the hosted zones of the account with the health checks that steer them. It is the resolver of everybody inside, so it
 * follows CNAMEs and answers "no such name" for the rest of the world, which the sandbox does not have.
 */
export async function startDns(options: DnsOptions) {
    const reader = route53Reader(options.moto);
    let snapshot: Snapshot = { zones: [], checks: [] };
    let stopped = false;
    let reads = 0;
    const queries: QueryLine[] = [];
    const names = { regions: options.regions, global: options.global, fast: options.fast };
    const checkers = startCheckers({
        reader,
        fast: options.fast,
        resolve: (host) => answer({ name: host, type: "A" }, world()).answers.findLast((each) => each.type === "A")?.value,
        ...(options.checkersFrom === undefined ? {} : { from: options.checkersFrom }),
    });
    const world = (): World => ({
        zones: snapshot.zones,
        healthy: checkers.healthy,
        outside: (name) => awsAddress(name, names),
        fast: options.fast,
    });

    /** The data plane goes on with what it last knew when the control plane does not answer. */
    async function follow(): Promise<void> {
        while (!stopped) {
            try {
                snapshot = await reader.snapshot();
                checkers.declare(snapshot.checks);
                reads++;
            } catch (error) {
                console.error(`reading the zones: ${(error as Error).message}`);
            }
            await sleep(options.everyMs ?? 1000);
        }
    }

    function respond(message: Buffer, source: string, transport: "udp" | "tcp"): Buffer | undefined {
        let query: DecodedPacket;
        try {
            query = packet.decode(message);
        } catch {
            return undefined;
        }
        const question = query.questions?.[0];
        if (query.type !== "query" || !question || query.questions?.length !== 1) return undefined;
        const reply: Reply | undefined = question.class === "IN" ? answer(question, world()) : undefined;
        const rcode = reply?.rcode ?? "REFUSED";
        queries.push({
            at: new Date().toISOString(),
            source,
            who: whoIs(source),
            transport,
            name: question.name,
            type: question.type,
            rcode,
            answers: (reply?.answers ?? []).map((each) => `${each.type} ${each.value} ${each.ttl}`),
        });
        if (queries.length > longestLog) queries.splice(0, queries.length - longestLog);
        if (reply?.problem !== undefined) console.error(reply.problem);
        return encode(query, question.name, reply, rcode);
    }

    const udp = createSocket("udp4");
    udp.on("message", (message, { address, port }) => {
        const reply = respond(message, address, "udp");
        if (reply) udp.send(reply, port, address);
    });
    udp.on("error", (error) => console.error(`udp: ${error.message}`));
    await new Promise<void>((resolve) => udp.bind(options.port, options.address, resolve));
    const { port } = udp.address();
    const connections = new Set<Socket>();
    const tcp = createServer((socket) => {
        connections.add(socket);
        let pending = Buffer.alloc(0);
        socket.setTimeout(10_000, () => socket.destroy());
        socket.on("close", () => connections.delete(socket)).on("error", () => socket.destroy());
        socket.on("data", (chunk: Buffer) => {
            pending = Buffer.concat([pending, chunk]);
            while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
                const length = pending.readUInt16BE(0);
                const reply = respond(pending.subarray(2, 2 + length), (socket.remoteAddress ?? "").replace(/^::ffff:/, ""), "tcp");
                pending = pending.subarray(2 + length);
                if (!reply) return void socket.destroy();
                const head = Buffer.alloc(2);
                head.writeUInt16BE(reply.length);
                socket.write(Buffer.concat([head, reply]));
            }
        });
    });
    await new Promise<void>((resolve, reject) => tcp.once("error", reject).listen(port, options.address, resolve));
    const control = options.socket
        ? await serveControl(options.socket, {
              "GET /health": () => checkers.status(),
              "GET /queries": (_, query) => {
                  const since = query.get("since");
                  return since === null ? queries : queries.filter(({ at }) => at >= since);
              },
              "GET /ready": () => ({ reads }),
          })
        : undefined;
    const following = follow();
    return {
        port,
        health: () => checkers.status(),
        queries: () => [...queries],
        /** Number of times that the zones were read. */
        reads: () => reads,
        async close(): Promise<void> {
            stopped = true;
            checkers.stop();
            for (const socket of connections) socket.destroy();
            control?.closeAllConnections();
            await Promise.all([
                new Promise<void>((resolve) => udp.close(resolve)),
                new Promise((resolve) => tcp.close(resolve)),
                new Promise((resolve) => (control ? control.close(resolve) : resolve(undefined))),
                following,
            ]);
        },
    };
}

function encode(query: DecodedPacket, name: string, reply: Reply | undefined, rcode: string): Buffer {
    const codes: Readonly<Record<string, number>> = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
    const desired = (query.flags ?? 0) & packet.RECURSION_DESIRED;
    const answers = (reply?.answers ?? []).map((each, index) => record(each, index === 0 ? name : each.name));
    const negative = reply && answers.length === 0 && reply.authority !== undefined ? [soa(reply.authority)] : [];
    const response: Packet = {
        type: "response",
        id: query.id ?? 0,
        flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_AVAILABLE | desired | codes[rcode]!,
        questions: query.questions ?? [],
        answers,
        authorities: negative,
    };
    return packet.encode(response);
}

/** @param name as it was asked, so that resolvers which vary the case of letters find their question again */
function record({ type, ttl, value }: AnswerRecord, name: string): Answer {
    if (type === "SOA") return { name, type: "SOA", ttl, data: soaData(value) };
    if (type === "TXT") return { name, type: "TXT", ttl, data: value.replace(/^"|"$/g, "") };
    return { name, type: type as "A" | "AAAA" | "CNAME" | "NS", ttl, data: value.replace(/\.$/, "") };
}

/** Reads a zone's own SOA record: primary server, mailbox, serial, refresh, retry, expire, minimum. */
function soaData(value: string) {
    const [mname = "", rname = "", ...numbers] = value.split(/\s+/);
    const [serial = 1, refresh = 7200, retry = 900, expire = 1209600, minimum = 86400] = numbers.map(Number);
    return { mname: mname.replace(/\.$/, ""), rname: rname.replace(/\.$/, ""), serial, refresh, retry, expire, minimum };
}

/** https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/SOA-NSrecords.html: the negative TTL is the lesser of 900 s and the SOA's last field; here a few seconds, so that
 * a name is found soon after it was made. */
const soa = (zone: string): Answer => ({
    name: zone,
    type: "SOA",
    ttl: 5,
    data: { mname: `ns-1.${zone}`, rname: `awsdns-hostmaster.${zone}`, serial: 1, refresh: 7200, retry: 900, expire: 1209600, minimum: 5 },
});
