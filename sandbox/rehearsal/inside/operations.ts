import type { DiscardRequest } from "./discard.ts";
import type { ExecRequest } from "./exec.ts";
import type { GuardsRequest, GuardStatus } from "./guards.ts";
import type { JobResult, JobsRequest } from "./jobs.ts";
import type { LoadRequest } from "./load.ts";
import type { ObjectsRequest } from "./objects.ts";
import type { RowsRequest } from "./rows.ts";
import type { LogRequest, Scale, ScaleRequest } from "./workload.ts";
import type { Row } from "../comparison.ts";

/** What the rehearsal, which stands outside, has done inside the sandbox's network: request and answer of each. */
export interface Operations {
    jobs: { request: JobsRequest; answer: JobResult[] };
    guards: { request: GuardsRequest; answer: { statuses: Record<string, GuardStatus>; failures: Record<string, string> } };
    rows: { request: RowsRequest; answer: Record<string, Row[]> };
    load: { request: LoadRequest; answer: { seconds: number; refused?: string } };
    exec: { request: ExecRequest; answer: string };
    scale: { request: ScaleRequest; answer: Scale };
    log: { request: LogRequest; answer: string };
    discard: { request: DiscardRequest; answer: { discarded: string } };
    objects: { request: ObjectsRequest; answer: Record<string, string> };
}
export type OperationName = keyof Operations;
