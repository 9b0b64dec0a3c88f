import { createSocket } from "node:dgram";
import packet, { type Answer } from "dns-packet";

/** An address, and until when a client may use it. */
export interface Lookup {
    address: string;
    /** What the answer says, in seconds: the shortest of the chain from the name to the address. */
    ttl: number;
}

/**
 * Picks the address that a chain of answers leads to; the shortest TTL on the way holds for all of it (RFC 2308 leaves no room for more).
 * @throws Error when the chain does not end in an address.
 */
export function followChain(name: string, answers: readonly Answer[]): Lookup {
    let at = name.toLowerCase();
    let ttl = Infinity;
    for (let hops = 0; hops <= answers.length; hops++) {
        const own = answers.filter((answer) => answer.name.toLowerCase() === at);
        const address = own.find((answer) => answer.type === "A");
        if (address?.type === "A") return { address: address.data, ttl: Math.min(ttl, address.ttl ?? 0) };
        const alias = own.find((answer) => answer.type === "CNAME");
        if (alias?.type !== "CNAME") break;
        ttl = Math.min(ttl, alias.ttl ?? 0);
        at = alias.data.toLowerCase();
    }
    throw new Error(`no address for ${name}: the chain ends at ${at}`);
}

/** Asks a resolver over UDP for the IPv4 address of a name, once. @throws Error after `timeoutMs`, or when the answer has no address. */
export function lookUp(name: string, resolver: { address: string; port: number }, timeoutMs = 2000): Promise<Lookup> {
    const socket = createSocket("udp4");
    const id = Math.floor(Math.random() * 65536);
    const answer = new Promise<Lookup>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`the resolver did not answer within ${timeoutMs} ms`)), timeoutMs);
        socket.on("message", (message) => {
            try {
                const reply = packet.decode(message);
                if (reply.id !== id) return;
                clearTimeout(timer);
                resolve(followChain(name, reply.answers ?? []));
            } catch (error) {
                clearTimeout(timer);
                reject(error as Error);
            }
        });
        socket.on("error", (error) => {
            clearTimeout(timer);
            reject(error);
        });
        socket.send(
            packet.encode({ type: "query", id, flags: packet.RECURSION_DESIRED, questions: [{ type: "A", name }] }),
            resolver.port,
            resolver.address,
            (error) => {
                if (error) {
                    clearTimeout(timer);
                    reject(error);
                }
            },
        );
    });
    return answer.finally(() => socket.close());
}
