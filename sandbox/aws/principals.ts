import { sandboxAccount } from "../addresses.ts";
import type { PolicyDocument, Principal } from "./policies.ts";

/** The person's key: an administrator. Any secret is accepted, since no signature is verified. */
export const operatorKey = "AKIAOPERATOR000000000";

const administrator: PolicyDocument = { Statement: { Effect: "Allow", Action: "*", Resource: "*" } };
const operator: Principal = { arn: `arn:aws:iam::${sandboxAccount}:user/operator`, account: sandboxAccount };

export interface Known {
    readonly principal: Principal;
    /** Name of the role whose policies hold; undefined: an administrator. */
    readonly role?: string;
    /** Milliseconds since 1970. */
    readonly expires?: number;
}

/** Access keys that the account has given out: the operator's, and those that STS issued through the gate. */
export function keyRing() {
    const known = new Map<string, Known>([[operatorKey, { principal: operator }]]);
    return {
        find(accessKey: string, now: number): Known | undefined {
            const found = known.get(accessKey);
            return found?.expires !== undefined && found.expires < now ? undefined : found;
        },
        /** Reads the answer of AssumeRole or AssumeRoleWithWebIdentity. @throws Error when it does not say what was issued */
        learn(answer: string): Known {
            const element = (name: string) => {
                const value = new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1];
                if (value === undefined) throw new Error(`the answer of STS has no ${name}`);
                return value;
            };
            // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
            const session = /<Arn>(arn:aws:sts::(\d+):assumed-role\/([^/<]+)\/[^<]+)<\/Arn>/.exec(answer);
            if (!session) throw new Error("the answer of STS has no assumed role");
            const [, arn, account, role] = session as unknown as [string, string, string, string];
            const issued: Known = {
                principal: { arn: `arn:aws:iam::${account}:role/${role}`, account, session: arn },
                role,
                expires: Date.parse(element("Expiration")),
            };
            known.set(element("AccessKeyId"), issued);
            return issued;
        },
    };
}
export type KeyRing = ReturnType<typeof keyRing>;
/** What an administrator may do. */
export const administratorPolicies: readonly PolicyDocument[] = [administrator];
