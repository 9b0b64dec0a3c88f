import {
    AlgorithmSuiteIdentifier,
    AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
    AwsKmsMrkAwareSymmetricKeyringNode,
    buildClient,
    CommitmentPolicy,
    type MessageHeader,
} from "@aws-crypto/client-node";
import type { DecryptCommandInput, KMS } from "@aws-sdk/client-kms";
import type { Duplex } from "node:stream";
import { contain } from "./contain.ts";

/** Bound to the data by authentication: a point's bytes cannot pass for another point's, nor for another store's. */
export interface EnvelopeContext {
    store: string;
    point: string;
}

const { encryptStream, decryptStream } = buildClient({
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
    maxEncryptedDataKeys: 1,
});

/** Large frames: at 4 KiB, the library's default, encryption would be slower than compression. Each frame is authenticated before it is handed on. */
const frameLength = 1_048_576;

type KeyringInput = ConstructorParameters<typeof AwsKmsMrkAwareSymmetricKeyringNode>[0];
/** The library's type of a client leaves "or undefined" out where the SDK's has it; at run time it is this very class. */
const clientOf = (kms: Pick<KMS, "decrypt" | "generateDataKey" | "config">): KeyringInput["client"] =>
    kms as unknown as KeyringInput["client"];

/**
 * Encrypts a stream in the AWS Encryption SDK's message format, with key commitment and without signature.
 * @param kms client of the region that the key is in; needs kms:GenerateDataKey and nothing else
 * @param key ARN of the store's envelope key, or of its alias
 */
export function encrypting(kms: KMS, key: string, context: EnvelopeContext): Duplex {
    const keyring = new AwsKmsMrkAwareSymmetricKeyringNode({ client: clientOf(kms), keyId: key });
    return contain(
        encryptStream(keyring, {
            suiteId: AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
            encryptionContext: { ...context },
            frameLength,
        }),
    );
}

export interface Opening {
    readonly stream: Duplex;
    /** The answer of KMS, when it was asked for the data key and refused or did not answer. */
    keyFailure(): Error | undefined;
}

/**
 * Decrypts what `encrypting` made, in any region that has a replica of the key: the region that it was made in is never called.
 * The stream fails when a byte was changed, when the end is missing, and when the data was made for another store or point.
 * @param kms client of the region to decrypt in; needs kms:Decrypt
 * @param account the account whose keys are trusted
 */
export function decrypting(kms: KMS, account: string, expected: EnvelopeContext): Opening {
    let failure: Error | undefined;
    const observed = {
        config: kms.config,
        generateDataKey: kms.generateDataKey.bind(kms),
        // The library puts KMS's errors into one of its own that does not say which it was.
        decrypt: async (request: DecryptCommandInput) => {
            try {
                return await kms.decrypt(request);
            } catch (error) {
                failure = error as Error;
                throw error;
            }
        },
    };
    const keyring = new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({
        client: clientOf(observed as unknown as KMS),
        discoveryFilter: { accountIDs: [account], partition: "aws" },
    });
    const inner = decryptStream(keyring);
    const stream = contain(inner);
    inner.once("MessageHeader", ({ encryptionContext: found }: MessageHeader) => {
        if (found["store"] !== expected.store || found["point"] !== expected.point)
            stream.destroy(
                new Error(`the data was made for ${found["store"]} ${found["point"]}, not for ${expected.store} ${expected.point}`),
            );
    });
    return { stream, keyFailure: () => failure };
}
