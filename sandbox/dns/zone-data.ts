/** What the resolver and the checkers know of Route 53. */
export interface RecordSet {
    /** Lower case, without the final dot. */
    readonly name: string;
    readonly type: string;
    /** Seconds. */
    readonly ttl: number;
    readonly values: readonly string[];
    readonly setIdentifier?: string;
    readonly failover?: "PRIMARY" | "SECONDARY";
    readonly healthCheckId?: string;
    /** Why the sandbox cannot answer with it: weighted, latency and other routing, alias targets. */
    readonly beyond?: string;
}

export interface Zone {
    /** Lower case, without the final dot. */
    readonly name: string;
    readonly records: readonly RecordSet[];
}

/** Raw declaration of a health check. https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html */
export interface HealthCheckDeclaration {
    readonly id: string;
    /** Tag "Name", else what it watches. */
    readonly name: string;
    readonly type: string;
    readonly inverted: boolean;
    readonly disabled: boolean;
    /** Endpoints. */
    readonly host?: string;
    readonly address?: string;
    readonly port?: number;
    readonly path?: string;
    readonly sni?: boolean;
    /** Seconds. */
    readonly interval?: number;
    readonly threshold?: number;
    /** CALCULATED. */
    readonly children?: readonly string[];
    readonly healthThreshold?: number;
    /** CLOUDWATCH_METRIC. */
    readonly alarm?: { readonly region: string; readonly name: string };
    readonly insufficient?: "Healthy" | "Unhealthy" | "LastKnownStatus";
}

/** Lower case, without the final dot, with Route 53's `\052` as the `*` that it stands for. */
export const plainName = (name: string): string => name.toLowerCase().replace(/\.$/, "").replaceAll("\\052", "*");
