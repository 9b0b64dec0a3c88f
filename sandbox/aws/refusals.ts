import type { Dialect } from "./endpoints.ts";

/** An answer of the gate's own, in place of the service's. */
export interface Refusal {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    /** S3: further elements of the error document. */
    readonly details?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    /** Why, for the audit. */
    readonly why: string;
}

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const elements = (values: Readonly<Record<string, string>>) =>
    Object.entries(values)
        .map(([name, value]) => `<${name}>${escape(value)}</${name}>`)
        .join("");

/**
 * The error document that a service would send, so that every client reads it as what it is.
 * S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; JSON: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization;
 * query: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization; EC2: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
 */
export function errorDocument(dialect: Dialect, refusal: Refusal, requestId: string): { type: string; body: string } {
    const { code, message, status } = refusal;
    const xml = (body: string) => ({ type: "application/xml", body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` });
    const fault = status < 500 ? "Sender" : "Receiver";
    switch (dialect) {
        case "json":
            return { type: "application/x-amz-json-1.1", body: JSON.stringify({ __type: code, message, Message: message }) };
        case "s3":
            return xml(
                `<Error>${elements({ Code: code, Message: message, ...refusal.details, RequestId: requestId, HostId: "sandbox" })}</Error>`,
            );
        case "ec2":
            return xml(
                `<Response><Errors><Error>${elements({ Code: code, Message: message })}</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
            );
        case "query":
        case "route53":
            return xml(
                `<ErrorResponse><Error>${elements({ Type: fault, Code: code, Message: message })}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
            );
    }
}

/** Codes differ by service for the same refusal. */
const byDialect = (dialect: Dialect, codes: Partial<Record<Dialect, string>> & { other: string }) => codes[dialect] ?? codes.other;

export const refusals = {
    unavailable: (dialect: Dialect, why: string): Refusal => ({
        status: 503,
        code: byDialect(dialect, { s3: "ServiceUnavailable", ec2: "Unavailable", other: "ServiceUnavailable" }),
        message: `The service is unavailable: ${why}`,
        why,
    }),
    unknownKey: (dialect: Dialect, accessKey: string): Refusal => ({
        status: dialect === "ec2" ? 401 : 403,
        code: byDialect(dialect, {
            s3: "InvalidAccessKeyId",
            json: "UnrecognizedClientException",
            ec2: "AuthFailure",
            other: "InvalidClientTokenId",
        }),
        message: byDialect(dialect, {
            s3: "The AWS Access Key Id you provided does not exist in our records.",
            other: "The security token included in the request is invalid.",
        }),
        ...(dialect === "s3" ? { details: { AWSAccessKeyId: accessKey } } : {}),
        why: `unknown access key ${accessKey}`,
    }),
    unsigned: (dialect: Dialect): Refusal => ({
        status: 403,
        code: byDialect(dialect, { s3: "AccessDenied", json: "MissingAuthenticationTokenException", other: "MissingAuthenticationToken" }),
        message: byDialect(dialect, { s3: "Access Denied", other: "Request is missing Authentication Token" }),
        why: "not signed",
    }),
    denied: (dialect: Dialect, principal: string, action: string, resource: string, why: string): Refusal => ({
        status: 403,
        code: byDialect(dialect, { json: "AccessDeniedException", ec2: "UnauthorizedOperation", other: "AccessDenied" }),
        message: `User: ${principal} is not authorized to perform: ${action} on resource: ${resource} because ${why}`,
        why: `${action} on ${resource}: ${why}`,
    }),
    /** Signed for another region than the one that was dialled. */
    wrongScope: (dialect: Dialect, signed: string, region: string): Refusal => ({
        status: dialect === "s3" ? 400 : 403,
        code: byDialect(dialect, { s3: "AuthorizationHeaderMalformed", json: "InvalidSignatureException", other: "SignatureDoesNotMatch" }),
        message: byDialect(dialect, {
            s3: `The authorization header is malformed; the region '${signed}' is wrong; expecting '${region}'`,
            other: `Credential should be scoped to a valid region, not '${signed}'.`,
        }),
        ...(dialect === "s3" ? { details: { Region: region }, headers: { "x-amz-bucket-region": region } } : {}),
        why: `signed for ${signed}, dialled ${region}`,
    }),
    /** https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html: a bucket answers at its own region's endpoint only. */
    permanentRedirect: (bucket: string, region: string): Refusal => ({
        status: 301,
        code: "PermanentRedirect",
        message:
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        details: { Endpoint: `${bucket}.s3.${region}.amazonaws.com`, Bucket: bucket },
        headers: { "x-amz-bucket-region": region },
        why: `bucket ${bucket} is in ${region}`,
    }),
    unknownService: (service: string): Refusal => ({
        status: 501,
        code: "NotImplemented",
        message: `The sandbox has no service "${service}".`,
        why: `unknown service ${service}`,
    }),
    tokenRefused: (code: "AccessDenied" | "InvalidIdentityToken" | "ExpiredTokenException" | "IDPRejectedClaim", why: string): Refusal => ({
        status: code === "AccessDenied" || code === "IDPRejectedClaim" ? 403 : 400,
        code,
        message: code === "AccessDenied" ? `Not authorized to perform sts:AssumeRoleWithWebIdentity: ${why}` : why,
        why,
    }),
};
