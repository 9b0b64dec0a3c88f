import { z } from "zod";
import type { Sandbox } from "../sandbox.ts";

const statusDocument = z.looseObject({
    readiness: z.looseObject({ failover: z.string(), unprotected: z.array(z.looseObject({ store: z.string(), why: z.string() })) }),
});

/** What `lifeboat status` says to somebody who stands outside both sites. */
export interface Readiness {
    exitCode: number | undefined;
    failover: string;
    unprotected: readonly { store: string; why: string }[];
}

export async function askReadiness(sandbox: Sandbox): Promise<Readiness> {
    const { exitCode, stdout } = await sandbox.exec(["lifeboat", "status", "--json"], { execa: { reject: false, stdin: "ignore" } });
    const { failover, unprotected } = statusDocument.parse(JSON.parse(String(stdout))).readiness;
    return { exitCode, failover, unprotected };
}

export const isProtected = ({ exitCode, failover, unprotected }: Readiness): boolean =>
    exitCode === 0 && failover === "yes" && unprotected.length === 0;

export function tellReadiness({ exitCode, failover, unprotected }: Readiness): string {
    const told = unprotected.map(({ store, why }) => `${store} (${why})`).join(", ");
    return `lifeboat status ends with ${exitCode}: failover ${failover}, unprotected: ${told || "nothing"}`;
}
