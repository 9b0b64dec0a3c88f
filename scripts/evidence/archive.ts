import { createHash, type KeyObject } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { checkSignature, signatureText, signBytes, tellFinding, type Finding } from "../../recovery/evidence/signature.ts";
import { readSignature, signaturePath } from "../../recovery/evidence/signature-file.ts";
import { evidence, type Evidence } from "../../sandbox/rehearsal/evidence.ts";
import { page } from "../../sandbox/rehearsal/page/page.ts";
import { pastOf, trendOf, type Past } from "../../sandbox/rehearsal/trend.ts";

/** Where rehearsals of this clone leave their evidence. */
export const evidenceDirectory = fileURLToPath(new URL("../../.lifeboat/evidence", import.meta.url));

/** A file of evidence, as it was found. */
export interface Archived {
    path: string;
    finding: Finding;
    /** Absent when the file is not evidence; `problem` says why. */
    evidence?: Evidence;
    /** Why it does not count, in words; absent when it does. */
    problem?: string;
}

/** Reads a file of evidence and its signature. What is wrong with it is said, not thrown. @param trusted fingerprints */
export function readArchived(path: string, trusted: readonly string[]): Archived {
    let bytes: Buffer;
    try {
        bytes = readFileSync(path);
    } catch (error) {
        return { path, finding: { state: "unsigned" }, problem: `cannot be read: ${(error as Error).message}` };
    }
    const signature = readSignature(path);
    const finding = checkSignature(bytes, signature, trusted);
    const doubt = finding.state === "holds" ? {} : { problem: tellFinding(finding) };
    try {
        return { path, finding, evidence: evidence.parse(JSON.parse(bytes.toString("utf8"))), ...doubt };
    } catch (error) {
        const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
        return {
            path,
            finding,
            problem: doubt.problem ?? `${tellFinding(finding)}; it is not evidence of a rehearsal that this version can read: ${reason}`,
        };
    }
}

/** Every file of evidence in a folder, by name, which is by time. Empty where there is no folder yet. */
export function readArchive(directory: string, trusted: readonly string[]): Archived[] {
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => readArchived(join(directory, name), trusted));
}

/** The rehearsals that count, and what is to be said of the others: `FILE: why`. */
export function countable(archive: readonly Archived[]): { past: Past[]; leftOut: string[] } {
    return {
        past: archive.flatMap(({ path, evidence, problem }) =>
            evidence && problem === undefined ? [pastOf(basename(path), evidence)] : [],
        ),
        leftOut: archive.flatMap(({ path, problem }) => (problem === undefined ? [] : [`${basename(path)}: ${problem}`])),
    };
}

/** Puts the signature of a file's bytes beside it. @returns the fingerprint of the key */
export function signFile(path: string, key: KeyObject): string {
    const signature = signBytes(readFileSync(path), key);
    writeFileSync(signaturePath(path), signatureText(signature));
    return signature.fingerprint;
}

/**
 * Signs the evidence in a file, and draws its page, with the trend of the folder's rehearsals of the same scenario. Both lie beside it: `FILE.sig` and a `.html`.
 * @returns the page's path
 */
export function fileEvidence(path: string, key: KeyObject): string {
    const bytes = readFileSync(path);
    const fingerprint = signFile(path, key);
    const found = evidence.parse(JSON.parse(bytes.toString("utf8")));
    const { past, leftOut } = countable(readArchive(dirname(path), [fingerprint]));
    const upToThis = trendOf(past, found.scenario).filter(({ startedAt }) => startedAt <= found.startedAt);
    const filed = { file: basename(path), sha256: createHash("sha256").update(bytes).digest("hex"), fingerprint };
    const drawn = path.replace(/\.json$/, ".html");
    writeFileSync(drawn, page(found, filed, { past: upToThis, leftOut }));
    return drawn;
}
