import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { StackState } from "../pulumi.ts";

const cloudSecrets = z.object({ type: z.literal("cloud"), state: z.object({ url: z.string(), encryptedkey: z.string() }) });

const read = (directory: string, stack: string) => {
    const path = join(directory, `Pulumi.${stack}.yaml`);
    return { path, document: parseDocument(existsSync(path) ? readFileSync(path, "utf8") : "") };
};

/** Whether Pulumi.STACK.yaml has the data key that `stack init` wrote. */
export const hasDataKey = (directory: string, stack: string): boolean => read(directory, stack).document.has("encryptedkey");

/**
 * Puts the stack's encrypted data key back into Pulumi.STACK.yaml where a fresh clone lacks it: without it Pulumi would ask for a
 * passphrase that nobody has. Comments and settings of the file are kept.
 * @throws ZodError where the stack's state was encrypted by something else than a key of the account.
 */
export function mendStackFile(directory: string, stack: string, state: StackState): void {
    const { path, document } = read(directory, stack);
    const { url, encryptedkey } = cloudSecrets.parse(state.deployment["secrets_providers"]).state;
    document.set("secretsprovider", url);
    document.set("encryptedkey", encryptedkey);
    writeFileSync(path, document.toString());
}
