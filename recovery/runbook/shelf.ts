import { accessSync, constants, openSync, closeSync, fsyncSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { awsClients } from "../../backup/clients.ts";
import type { Estate } from "../../model/estate.ts";
import { Failure } from "../../model/failure.ts";
import { coordination, names } from "../../model/names.ts";
import { awsFailure } from "../answers.ts";
import type { Runbook } from "./page.ts";

interface File {
    name: string;
    type: string;
    text: string;
}

const filesOf = (runbooks: readonly Runbook[]): File[] =>
    runbooks.flatMap(({ scenario, markdown, html }) => [
        { name: `${scenario}.md`, type: "text/markdown; charset=utf-8", text: markdown },
        { name: `${scenario}.html`, type: "text/html; charset=utf-8", text: html },
    ]);

/**
 * Puts runbooks into the standby's coordination bucket, where every version is kept, and reads each back.
 * @returns their addresses, `s3://…`
 * @throws Failure where the bucket does not answer, or gives back something else.
 */
export async function publishRunbooks(estate: Estate, account: string, runbooks: readonly Runbook[]): Promise<string[]> {
    const { s3, region } = awsClients(estate.sites.standby.region);
    const Bucket = names(estate, account).coordinationBucket;
    const addresses: string[] = [];
    for (const { name, type, text } of filesOf(runbooks)) {
        const Key = coordination.runbook(name);
        let found: string | undefined;
        try {
            await s3.send(new PutObjectCommand({ Bucket, Key, Body: text, ContentType: type }));
            found = await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
        } catch (error) {
            throw awsFailure(error, `putting ${Key} into ${Bucket} in ${region}`);
        }
        if (found !== text)
            throw new Failure("no", `${Key} in ${Bucket} is not what was put there`, "publish again; somebody else may have published too");
        addresses.push(`s3://${Bucket}/${Key}`);
    }
    return addresses;
}

/**
 * Writes runbooks into a directory: a stick, say. All are written beside their names, forced to the medium and read back before the first of them takes the
 * place of an older one; where that fails nothing is changed.
 * @returns the paths
 * @throws Failure that says what is wrong with the directory.
 */
export function exportRunbooks(directory: string, runbooks: readonly Runbook[]): string[] {
    const files = filesOf(runbooks).map(({ name, text }) => ({
        path: join(directory, name),
        draft: join(directory, `.${name}.new`),
        text,
    }));
    checkDirectory(directory);
    try {
        for (const { draft, text } of files) {
            write(draft, text);
            if (readFileSync(draft, "utf8") !== text)
                throw new Failure("no", `${draft} does not read back as it was written`, "take another stick: this one is worn");
        }
        for (const { draft, path } of files) renameSync(draft, path);
        force(directory);
    } catch (error) {
        for (const { draft } of files) rmSync(draft, { force: true });
        throw exportFailure(directory, error);
    }
    return files.map(({ path }) => path);
}

function checkDirectory(directory: string): void {
    try {
        // The slash makes a file fail as what it is.
        accessSync(join(directory, "/"), constants.W_OK | constants.X_OK);
    } catch (error) {
        throw exportFailure(directory, error);
    }
}

function write(path: string, text: string): void {
    const file = openSync(path, "w");
    try {
        const bytes = Buffer.from(text);
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        fsyncSync(file);
    } finally {
        closeSync(file);
    }
}

/** The names in a directory are on the medium only then. */
function force(directory: string): void {
    const file = openSync(directory, "r");
    try {
        fsyncSync(file);
    } finally {
        closeSync(file);
    }
}

function exportFailure(directory: string, error: unknown): unknown {
    if (error instanceof Failure) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    const cause = { cause: error };
    switch (code) {
        case "ENOENT":
            return new Failure(
                "usage",
                `there is no directory ${directory}`,
                "plug the stick in and mount it, then name its directory",
                cause,
            );
        case "ENOTDIR":
            return new Failure("usage", `${directory} is no directory`, "name the directory where the stick is mounted", cause);
        case "EACCES":
        case "EPERM":
        case "EROFS":
            return new Failure(
                "prerequisite",
                `${directory} cannot be written to: ${message}`,
                "take the write protection off, or choose another one",
                cause,
            );
        case "ENOSPC":
        case "EDQUOT":
            return new Failure("prerequisite", `${directory} is full; nothing there was changed`, "make room, or take another one", cause);
        default:
            return error;
    }
}
