import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { serverRoles } from "../../../model/lease.ts";
import { execIn } from "./exec.ts";

/** What `lifeboat guard STORE --status` prints. */
export const guardStatus = z.looseObject({
    role: z.enum(serverRoles),
    lagSeconds: z.number().nullish(),
});
export type GuardStatus = z.output<typeof guardStatus>;

export interface GuardsRequest {
    context: string;
    namespace: string;
    stores: string[];
}

/** Asks the guard of each store's database how it stands. A guard that does not answer is in `failures`. */
export async function guards(
    config: KubeConfig,
    { namespace, stores }: GuardsRequest,
): Promise<{ statuses: Record<string, GuardStatus>; failures: Record<string, string> }> {
    const statuses: Record<string, GuardStatus> = {};
    const failures: Record<string, string> = {};
    await Promise.all(
        stores.map(async (store) => {
            try {
                const said = await execIn(config, {
                    namespace,
                    pod: `${store}-0`,
                    container: "guard",
                    command: ["lifeboat", "guard", store, "--status"],
                });
                statuses[store] = guardStatus.parse(JSON.parse(said));
            } catch (error) {
                failures[store] = (error as Error).message;
            }
        }),
    );
    return { statuses, failures };
}
