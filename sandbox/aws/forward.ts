import { Agent, request, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

// The stand-in's server closes every connection after its answer, so keeping them would only meet their end.
const agent = new Agent({ keepAlive: false, maxSockets: 128 });

export interface Forwarded {
    readonly status: number;
    /** The answer, where it was asked for. */
    readonly answer?: string;
}

/**
 * Hands a request to the stand-in and its answer back, both streamed.
 * @param body what was already read of it; undefined: all of it is still to come
 * @param keep also return the answer (small ones only)
 * @param before called with the kept answer before the client gets it
 * @throws what broke the connection on either side; the client's connection is then destroyed, or answered 502 if nothing was sent yet
 */
export async function forward(
    to: URL,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: Buffer | undefined,
    keep: boolean,
    before: (status: number, answer: string) => void,
): Promise<Forwarded> {
    const headers = { ...incoming.headers };
    delete headers["expect"];
    delete headers["connection"];
    if (body !== undefined) {
        delete headers["transfer-encoding"];
        headers["content-length"] = String(body.length);
    }
    const upstream = request({ host: to.hostname, port: to.port, method: incoming.method, path: incoming.url, headers, agent });
    const response = new Promise<IncomingMessage>((resolve, reject) => upstream.on("response", resolve).on("error", reject));
    // An answer may come before the whole body is sent; a failure to send is then of no interest.
    const sending = body === undefined ? pipeline(incoming, upstream) : void upstream.end(body);
    const failed = sending?.then(
        () => undefined,
        (error: Error) => error,
    );
    outgoing.on("close", () => upstream.destroy());
    const orFailure = async (error: Error | undefined): Promise<IncomingMessage> => {
        if (!error) return response;
        return Promise.race([response, sleep(1000).then(() => Promise.reject(error))]);
    };
    const answered = await (failed ? Promise.race([response, failed.then(orFailure)]) : response);
    const status = answered.statusCode ?? 502;
    const passed = { ...answered.headers };
    delete passed["connection"];
    delete passed["server"];
    if (!keep) {
        outgoing.writeHead(status, passed);
        await pipeline(answered, outgoing);
        return { status };
    }
    const chunks: Buffer[] = [];
    for await (const chunk of answered) chunks.push(chunk as Buffer);
    const whole = Buffer.concat(chunks);
    before(status, whole.toString());
    delete passed["transfer-encoding"];
    outgoing.writeHead(status, { ...passed, "content-length": String(whole.length) }).end(whole);
    return { status, answer: whole.toString() };
}
