import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { z } from "zod";

const passwords = z.looseObject({ app: z.string() });

/** Password of a store's application user, as its secret in a region has it. */
export async function appPassword({ region, secret }: { region: string; secret: string }): Promise<string> {
    const { SecretString } = await new SecretsManagerClient({ region }).send(new GetSecretValueCommand({ SecretId: secret }));
    return passwords.parse(JSON.parse(SecretString ?? "{}")).app;
}
