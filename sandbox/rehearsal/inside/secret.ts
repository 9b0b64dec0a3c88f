import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { z } from "zod";

const passwords = z.looseObject({ app: z.string(), backup: z.string() });

/** Password of a user of a store, as its secret in a region has it. */
export async function storePassword({ region, secret }: { region: string; secret: string }, user: "app" | "backup"): Promise<string> {
    const { SecretString } = await new SecretsManagerClient({ region }).send(new GetSecretValueCommand({ SecretId: secret }));
    return passwords.parse(JSON.parse(SecretString ?? "{}"))[user];
}
