import { createSocket } from "node:dgram";
import packet, { type Answer } from "dns-packet";

/** What a look-up led to. */
export interface Lookup {
    address: string;
    /** TTL of the name's own record as it was answered, seconds. */
    ttl: number;
    /** Until when the address may be used without another look-up: the earliest end on the way to it, milliseconds of `performance.now()`. */
    until: number;
    /** Whether somebody had to be asked. */
    asked: boolean;
}

interface Kept {
    record: { type: "A" | "CNAME"; data: string };
    ttl: number;
    until: number;
}

export type Ask = (name: string) => Promise<readonly Answer[]>;

/**
 * A caching resolver, as customers have one: every record is kept for its own TTL and no longer (RFC 1035, 3.2.1), so a name that leads to another goes on
 * leading there although the other's address has been asked for anew.
 */
export class CachingResolver {
    readonly #ask: Ask;
    readonly #age: () => number;
    readonly #kept = new Map<string, Kept>();
    #fresh = true;

    /**
     * @param age uniform in [0, 1): others asked before this customer did, so the first answers have lived that part of their TTL already
     */
    constructor(ask: Ask, age: () => number) {
        this.#ask = ask;
        this.#age = age;
    }

    /** @throws Error when the name does not lead to an address, or nobody answers. */
    async lookUp(name: string): Promise<Lookup> {
        let at = name.toLowerCase();
        let until = Infinity;
        // What was answered a moment ago is used once, even with a TTL of 0.
        const answered = new Set<string>();
        for (let hops = 0; hops < 8; hops++) {
            let kept = this.#valid(at, answered);
            if (!kept) {
                const answers = await this.#ask(at);
                answered.add(at);
                for (const answer of answers) answered.add(answer.name.toLowerCase());
                this.#keep(answers);
                kept = this.#valid(at, answered);
                if (!kept) throw new Error(`no address for ${name}: nothing is known of ${at}`);
            }
            until = Math.min(until, kept.until);
            if (kept.record.type === "A") {
                this.#fresh = false;
                return {
                    address: kept.record.data,
                    ttl: this.#kept.get(name.toLowerCase())?.ttl ?? kept.ttl,
                    until,
                    asked: answered.size > 0,
                };
            }
            at = kept.record.data;
        }
        throw new Error(`no address for ${name}: the chain does not end`);
    }

    #valid(name: string, answered: ReadonlySet<string>): Kept | undefined {
        const kept = this.#kept.get(name);
        return kept && (answered.has(name) || performance.now() < kept.until) ? kept : undefined;
    }

    #keep(answers: readonly Answer[]): void {
        const part = this.#fresh ? 1 - this.#age() : 1;
        for (const answer of answers)
            if (answer.type === "A" || answer.type === "CNAME") {
                const ttl = answer.ttl ?? 0;
                this.#kept.set(answer.name.toLowerCase(), {
                    record: { type: answer.type, data: answer.type === "CNAME" ? answer.data.toLowerCase() : answer.data },
                    ttl,
                    until: performance.now() + ttl * 1000 * part,
                });
            }
    }
}

/** Asks a name server over UDP for the IPv4 address of a name, once. @throws Error after `timeoutMs`. */
export function askServer(server: { address: string; port: number }, timeoutMs = 2000): Ask {
    return (name) => {
        const socket = createSocket("udp4");
        const id = Math.floor(Math.random() * 65536);
        const { promise, resolve, reject } = Promise.withResolvers<readonly Answer[]>();
        const timer = setTimeout(() => reject(new Error(`the resolver did not answer within ${timeoutMs} ms`)), timeoutMs);
        socket.on("message", (message) => {
            try {
                const reply = packet.decode(message);
                if (reply.id === id) resolve(reply.answers ?? []);
            } catch (error) {
                reject(error as Error);
            }
        });
        socket.on("error", reject);
        const query = packet.encode({ type: "query", id, flags: packet.RECURSION_DESIRED, questions: [{ type: "A", name }] });
        socket.send(query, server.port, server.address, (error) => {
            if (error) reject(error);
        });
        return promise.finally(() => {
            clearTimeout(timer);
            socket.close();
        });
    };
}
