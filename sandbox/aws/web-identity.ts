import { sandboxAccount } from "../addresses.ts";
import type { AccountView } from "./account-view.ts";
import type { Call } from "./call.ts";
import { unknownKey } from "./conditions.ts";
import { evaluate, type Principal } from "./policies.ts";
import { refusals, type Refusal } from "./refusals.ts";
import { checkToken, readClaims } from "./tokens.ts";

/**
 * Whether a service-account token may be exchanged for a role: its signature, expiry, the account's OIDC provider and audience, and the role's trust policy.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif (ISSUER:sub, ISSUER:aud)
 * @param tokenKeys issuer without `https://` -> PEM file of its public key
 * @param now seconds since 1970
 */
export async function judgeWebIdentity(
    call: Call,
    view: AccountView,
    tokenKeys: Readonly<Record<string, string>>,
    now: number,
): Promise<{ refusal?: Refusal; unknown: readonly string[] }> {
    const refused = (...[code, why]: Parameters<typeof refusals.tokenRefused>) => ({
        refusal: refusals.tokenRefused(code, why),
        unknown: [],
    });
    const token = String(call.parameters["WebIdentityToken"] ?? "");
    const issuer = readClaims(token)?.iss.replace(/^https:\/\//, "") ?? "";
    const claims = checkToken(token, tokenKeys[issuer], now);
    if ("code" in claims) return refused(claims.code, claims.why);
    const provider = `arn:aws:iam::${sandboxAccount}:oidc-provider/${issuer}`;
    const audiences = await view.oidcAudiences(provider);
    if (!audiences) return refused("InvalidIdentityToken", `No OpenIDConnect provider found in your account for ${claims.iss}`);
    if (!claims.aud.some((each) => audiences.includes(each))) return refused("InvalidIdentityToken", "Incorrect token audience");
    const arn = String(call.parameters["RoleArn"] ?? "");
    const role = await view.role(arn.split("/").pop() ?? "");
    if (role?.arn !== arn) return refused("AccessDenied", `there is no role ${arn}`);
    const principal: Principal = { arn: "", account: sandboxAccount, federated: provider };
    const context = (key: string) => {
        const name = key.toLowerCase();
        if (name === `${issuer}:sub`.toLowerCase()) return [claims.sub];
        if (name === `${issuer}:aud`.toLowerCase()) return claims.aud;
        return name === "aws:securetransport" ? ["true"] : unknownKey;
    };
    const request = { principal, action: "sts:AssumeRoleWithWebIdentity", resource: arn, context };
    const decision = evaluate(request, { identity: [], resource: role.trust, resourceMustAllow: true });
    if (decision.allowed) return { unknown: decision.unknown };
    const refusal = refusals.tokenRefused("AccessDenied", `the trust policy of ${arn} does not admit ${claims.sub}`);
    return { refusal, unknown: decision.unknown };
}
