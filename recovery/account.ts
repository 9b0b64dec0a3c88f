import { setTimeout as sleep } from "node:timers/promises";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { awsClients } from "../backup/clients.ts";
import { Failure } from "../model/failure.ts";
import { awsFailure } from "./answers.ts";

/**
 * Number of the AWS account, as the given region's own STS says (never the global one).
 * @throws Failure without credentials, or where STS does not answer.
 */
export async function askAccount(region: string): Promise<string> {
    try {
        const { Account } = await awsClients(region).sts.send(new GetCallerIdentityCommand({}));
        if (Account !== undefined) return Account;
    } catch (error) {
        throw awsFailure(error, `asking STS in ${region} whose credentials these are`);
    }
    throw new Failure("unavailable", `STS in ${region} named no account`, "set LIFEBOAT_ACCOUNT to the account's 12 digits");
}

/** The same, or LIFEBOAT_ACCOUNT where it is set (in pods). @throws Failure as above, and for a LIFEBOAT_ACCOUNT that is no account. */
export async function accountNumber(region: string): Promise<string> {
    const declared = process.env["LIFEBOAT_ACCOUNT"];
    if (declared === undefined || declared === "") return askAccount(region);
    if (/^\d{12}$/.test(declared)) return declared;
    throw new Failure("usage", `LIFEBOAT_ACCOUNT is "${declared}"`, "set it to the 12 digits of the AWS account, or unset it");
}

/**
 * The same, from whichever region answers first: for questions that have to work whichever one is dead.
 * @param limit in ms
 * @throws Failure of the first region where none answers in time.
 */
export async function accountNumberFromAny(regions: readonly string[], limit: number): Promise<string> {
    const late = sleep(limit, undefined, { ref: false }).then(() => {
        throw new Failure(
            "unavailable",
            `STS answers in none of ${regions.join(", ")} within ${limit / 1000} s`,
            "check this machine's way out; LIFEBOAT_ACCOUNT saves the question",
        );
    });
    try {
        return await Promise.race([Promise.any(regions.map(accountNumber)), late]);
    } catch (error) {
        throw error instanceof AggregateError ? error.errors[0] : error;
    }
}
