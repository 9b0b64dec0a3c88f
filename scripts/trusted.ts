import { Option } from "commander";
import { ownFingerprints, trustedFingerprint } from "../recovery/evidence/key.ts";

/**
 * `--trusted WHO`, which may be given more than once, with one value each: a variadic one (`<who...>`) would take the command's own arguments behind it for
 * values.
 */
export const trustedOption = (): Option =>
    new Option(
        "--trusted <who>",
        "fingerprint (sha256:…) or key file whose signature counts, in place of this machine's key; may be repeated",
    ).argParser((who: string, before: readonly string[] = []) => [...before, who]);

/** Fingerprints of those who were named, else of the key that would sign here. @throws Failure("usage") for what is neither fingerprint nor key file */
export const trustedFingerprints = (named: readonly string[] | undefined): string[] => named?.map(trustedFingerprint) ?? ownFingerprints();
