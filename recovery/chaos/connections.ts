import { setTimeout as sleep } from "node:timers/promises";
import type { ServerAddress } from "../../stores/adapter.ts";
import type { HeldConnection, StoreKind } from "../../stores/kind.ts";
import type { Seconds } from "../../model/units.ts";
import { timeBox } from "./time-box.ts";

export interface HeldConnections {
    /** Most that were held at one time. */
    held: number;
    /** Times that the server said that it has no more. */
    refused: number;
}

/** Between two tries to get what somebody else gave up (ms). */
const pause = 200;
/** No server of ours allows more; a bound for what this process takes upon itself. */
const most = 20_000;

/** What the servers call it: https://mariadb.com/kb/en/mariadb-error-code-reference/ (1040, 1203), https://www.postgresql.org/docs/15/errcodes-appendix.html (53300). */
const full = new Set(["ER_CON_COUNT_ERROR", "ER_TOO_MANY_USER_CONNECTIONS", "53300"]);

/**
 * Takes connections of a store as an ordinary client does, until the server has no more, and holds them until the time is over or `signal` ends it. What the
 * server takes back is taken again.
 * @throws Failure where it never got one
 */
export async function holdConnections(
    kind: StoreKind,
    server: ServerAddress,
    span: Seconds,
    signal: AbortSignal,
): Promise<HeldConnections> {
    const open = kind.operations.hold;
    using box = timeBox(span, signal);
    const rest = () => sleep(pause, undefined, { signal: box.over }).catch(() => undefined); // the loop's own condition tells
    const connections = new Set<HeldConnection>();
    const result: HeldConnections = { held: 0, refused: 0 };
    try {
        while (!box.over.aborted) {
            if (connections.size === most) {
                await rest();
                continue;
            }
            try {
                const connection = await open(server);
                connections.add(connection);
                connection.onLost(() => connections.delete(connection));
                result.held = Math.max(result.held, connections.size);
            } catch (error) {
                if (full.has(codeOf(error))) result.refused += 1;
                else if (result.held === 0) throw error;
                await rest();
            }
        }
        return result;
    } finally {
        await Promise.allSettled([...connections].map((connection) => connection.close()));
    }
}

const codeOf = (error: unknown): string => String(((error as Error).cause as { code?: unknown } | undefined)?.code ?? "");
