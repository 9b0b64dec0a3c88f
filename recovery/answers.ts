import { Failure } from "../model/failure.ts";

interface ServiceError {
    name?: string;
    Code?: string;
    code?: string;
    message?: string;
    $metadata?: { httpStatusCode?: number };
}

/** The code that AWS gives an error: "NoSuchKey", "PreconditionFailed"; a connection's own code ("ECONNREFUSED") where there was no answer. */
export function errorCode(error: unknown): string {
    const { name, Code, code } = (error ?? {}) as ServiceError;
    return Code ?? code ?? name ?? "Unknown";
}

/** The status of the answer, or undefined where there was none. */
export const errorStatus = (error: unknown): number | undefined => ((error ?? {}) as ServiceError).$metadata?.httpStatusCode;

const lostConnection = new Set([
    "ECONNREFUSED",
    "ECONNRESET",
    "EPIPE",
    "ETIMEDOUT",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTFOUND",
    "EAI_AGAIN",
    "TimeoutError",
]);

/** Whether an error came from an AWS client: an answer that it could not use, or none. */
export const isCallToAws = (error: unknown): boolean =>
    ((error ?? {}) as ServiceError).$metadata !== undefined ||
    lostConnection.has(errorCode(error)) ||
    errorCode(error) === "CredentialsProviderError";

/**
 * Says an AWS error to a person. What is already a Failure stays it.
 * @param what what was being done, as in "reading the epoch record in us-west-2"
 */
export function awsFailure(error: unknown, what: string): Failure {
    if (error instanceof Failure) return error;
    const code = errorCode(error);
    const status = errorStatus(error);
    const message = `${what} failed: ${code}: ${(error as Error)?.message ?? String(error)}`;
    if (code === "NoSuchBucket") return new Failure("prerequisite", message, "run `lifeboat bootstrap`", { cause: error });
    if (code === "RequestTimeTooSkewed" || code === "RequestExpired")
        return new Failure("prerequisite", message, "set this machine's clock (timedatectl set-ntp true), then repeat the command", {
            cause: error,
        });
    if (code === "CredentialsProviderError" || code === "ExpiredToken" || code === "InvalidAccessKeyId" || code === "SignatureDoesNotMatch")
        return new Failure("prerequisite", message, "log in to the account again: AWS has no valid credentials here", { cause: error });
    if (status === 403 || code === "AccessDenied")
        return new Failure("prerequisite", message, "use a role that may do this: the break-glass role, in an emergency", { cause: error });
    return new Failure("unavailable", message, "check that the standby region can be reached from here, then repeat the command", {
        cause: error,
    });
}
