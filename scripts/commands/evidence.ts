import type { KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import { exitCodes, Failure } from "../../model/failure.ts";
import { keyVariable, ownKeyPath, signingKey } from "../../recovery/evidence/key.ts";
import { tellFinding } from "../../recovery/evidence/signature.ts";
import { evidenceDirectory, readArchive, readArchived, signFile, type Archived } from "../evidence/archive.ts";
import { note, paint, print, show } from "../output.ts";
import { trustedFingerprints, trustedOption } from "../trusted.ts";

interface Options {
    sign?: boolean;
    key?: string;
    verify?: boolean;
    trusted?: string[];
    json?: boolean;
}

const documentOf = ({ path, finding, evidence, problem }: Archived) => ({
    path,
    ...(evidence ? { startedAt: evidence.startedAt, scenario: evidence.scenario, seed: evidence.seed, verdict: evidence.verdict } : {}),
    signature: finding,
    counts: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
});

function line({ path, finding, evidence, problem }: Archived): string {
    const what = evidence ? `${evidence.verdict} ${evidence.scenario} of ${evidence.service}, seed ${evidence.seed}: ` : "";
    const said = `${basename(path)}: ${what}${problem ?? tellFinding(finding)}`;
    if (problem === undefined) return said;
    return paint(finding.state === "holds" ? "yellow" : "red", said);
}

function signFiles(files: readonly string[], key: KeyObject): void {
    const absent = files.find((file) => !existsSync(file));
    if (files.length === 0 || absent !== undefined)
        throw new Failure(
            "usage",
            absent === undefined ? "--sign needs files" : `${absent} is not there`,
            "lifeboat evidence --sign FILE...",
        );
    for (const file of files) note(`${file}: signed by ${signFile(file, key)}`);
}

export const command = new Command("evidence")
    .description(
        "Lists the evidence of this clone's rehearsals (.lifeboat/evidence) and whether its signatures hold. With --verify: checks files, and ends with 1\n" +
            "when one is damaged, not signed, or signed by a key that is not trusted. Trusted is the key that would sign here\n" +
            `(${keyVariable}, else the machine's own), unless --trusted names others.`,
    )
    .argument("[files...]", "files of evidence; their signatures lie beside them (FILE.sig)")
    .option("--verify", "check the files")
    .option("--sign", "sign the files, whatever they hold: what a drill in production printed")
    .option("--key <file>", "sign with this Ed25519 key (PEM)")
    .addOption(trustedOption())
    .option("--json", "print what was found as JSON")
    .action((files: string[], { verify = false, sign = false, key, trusted, json = false }: Options) => {
        if (sign) return signFiles(files, signingKey(key));
        if (verify !== files.length > 0)
            throw new Failure(
                "usage",
                verify ? "--verify needs files" : "files are named, and nothing is to be done with them",
                "lifeboat evidence --verify FILE...",
            );
        const fingerprints = trustedFingerprints(trusted);
        const found = verify ? files.map((file) => readArchived(file, fingerprints)) : readArchive(evidenceDirectory, fingerprints);
        if (json) print({ trusted: fingerprints, evidence: found.map(documentOf) });
        else if (found.length === 0) show("no evidence yet: ./lifeboat rehearse region-loss");
        else for (const each of found) show(line(each));
        if (found.some(({ finding }) => finding.state === "another key"))
            note("compare the fingerprint with the signer's (`lifeboat evidence` there names it), then: --trusted FINGERPRINT");
        if (!json && !verify)
            note(fingerprints.length > 0 ? `trusted: ${fingerprints.join(", ")}` : `no key yet: the first rehearsal makes ${ownKeyPath()}`);
        process.exitCode = verify && found.some(({ finding }) => finding.state !== "holds") ? exitCodes.no : exitCodes.ok;
    });
