import { z } from "zod";
import type { Sandbox } from "../sandbox.ts";

const statusDocument = z.looseObject({
    readiness: z.looseObject({ failover: z.string(), unprotected: z.array(z.looseObject({ store: z.string() })) }),
});

/** What `lifeboat status` says to somebody who stands outside both sites. */
export async function askReadiness(sandbox: Sandbox): Promise<{ exitCode: number | undefined; failover: string; unprotected: string[] }> {
    const { exitCode, stdout } = await sandbox.exec(["lifeboat", "status", "--json"], { execa: { reject: false, stdin: "ignore" } });
    const { readiness } = statusDocument.parse(JSON.parse(String(stdout)));
    return { exitCode, failover: readiness.failover, unprotected: [...new Set(readiness.unprotected.map(({ store }) => store))] };
}
