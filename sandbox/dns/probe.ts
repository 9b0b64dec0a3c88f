import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface Target {
    readonly address: string;
    readonly port: number;
    /** Host header, and SNI where `sni`. */
    readonly host: string;
    readonly path: string;
    readonly tls: boolean;
    readonly sni: boolean;
    /** Address of the checker. */
    readonly from?: string;
}
export interface Limits {
    readonly connectMs: number;
    readonly answerMs: number;
}
export interface Observation {
    readonly passed: boolean;
    /** Status code, or what went wrong. */
    readonly said: string;
}

/**
 * One request of a health checker. https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html: a TCP connection within four seconds,
 * then a status of 2xx or 3xx within two seconds; "HTTPS health checks don't validate SSL/TLS certificates".
 */
export function probe(target: Target, limits: Limits): Promise<Observation> {
    return new Promise((resolve) => {
        const { address, port, host, path, from } = target;
        const common = {
            host: address,
            port,
            path,
            method: "GET",
            headers: { host, "user-agent": "Amazon-Route53-Health-Check-Service" },
            ...(from === undefined ? {} : { localAddress: from }),
        };
        const outgoing = target.tls
            ? httpsRequest({
                  ...common,
                  agent: new HttpsAgent({ keepAlive: false }),
                  rejectUnauthorized: false,
                  servername: target.sni ? host : "",
              })
            : httpRequest({ ...common, agent: new HttpAgent({ keepAlive: false }) });
        const end = (passed: boolean, said: string) => {
            clearTimeout(timer);
            outgoing.destroy();
            resolve({ passed, said });
        };
        let timer = setTimeout(() => end(false, `no connection in ${limits.connectMs} ms`), limits.connectMs);
        outgoing.on("socket", (socket) =>
            socket.once("connect", () => {
                clearTimeout(timer);
                timer = setTimeout(() => end(false, `no answer in ${limits.answerMs} ms`), limits.answerMs);
            }),
        );
        outgoing.on("response", ({ statusCode = 0 }) => end(statusCode >= 200 && statusCode < 400, String(statusCode)));
        outgoing.on("error", (error) => end(false, error.message));
        outgoing.end();
    });
}
