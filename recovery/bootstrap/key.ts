import {
    CreateAliasCommand,
    CreateKeyCommand,
    DescribeKeyCommand,
    EnableKeyRotationCommand,
    ScheduleKeyDeletionCommand,
    type KMSClient,
} from "@aws-sdk/client-kms";
import { Failure } from "../../model/failure.ts";
import { errorCode } from "../answers.ts";

/**
 * The multi-region key under an alias (with its "alias/"), rotated yearly; made where there is none.
 * @returns its ARN, and whether it was made. @throws Failure where the alias is another kind of key.
 */
export async function ensureKey(kms: KMSClient, alias: string, description: string): Promise<{ arn: string; made: boolean }> {
    const known = await describe(kms, alias);
    if (known !== undefined) return { arn: known, made: false };
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ MultiRegion: true, Description: description }));
    const { KeyId, Arn } = KeyMetadata ?? {};
    if (KeyId === undefined || Arn === undefined)
        throw new Failure("unavailable", "KMS made a key and did not name it", "run `lifeboat bootstrap` again");
    try {
        await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyId }));
    } catch (error) {
        // Nothing was encrypted with ours yet; the shortest waiting time that KMS allows is 7 days.
        await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
        const faster = errorCode(error) === "AlreadyExistsException" ? await describe(kms, alias) : undefined;
        if (faster === undefined) throw error;
        return { arn: faster, made: false };
    }
    await kms.send(new EnableKeyRotationCommand({ KeyId }));
    return { arn: Arn, made: true };
}

async function describe(kms: KMSClient, alias: string): Promise<string | undefined> {
    try {
        const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: alias }));
        if (KeyMetadata?.Arn === undefined) return undefined;
        if (KeyMetadata.MultiRegion !== true || KeyMetadata.Enabled !== true)
            throw new Failure(
                "refused",
                `${alias} is ${KeyMetadata.Enabled ? "a key of one region" : `a key that is ${KeyMetadata.KeyState}`}`,
                "point the alias at an enabled multi-region key, or delete the alias and run `lifeboat bootstrap` again",
            );
        return KeyMetadata.Arn;
    } catch (error) {
        if (errorCode(error) === "NotFoundException") return undefined;
        throw error;
    }
}
