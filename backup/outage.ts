import { CallTimeout } from "./clients.ts";
import { KeyUnavailable } from "./pipeline.ts";

/** Errors of a call, as against errors in what the call brought. */
export function isOutage(error: unknown): boolean {
    if (error instanceof KeyUnavailable || error instanceof CallTimeout) return true;
    const { $metadata, code, name } = error as { $metadata?: object; code?: string; name?: string };
    return $metadata !== undefined || /Timeout|Credentials|Token/.test(name ?? "") || /^(E[A-Z]{4,}|ERR_TLS.*)$/.test(code ?? "");
}
