import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Failure } from "../model/failure.ts";

const checkout = new URL("..", import.meta.url);
const estateFile = new URL("stacks/estate.ts", checkout);

/** From the checkout, for what lies in it. */
function pathOf(url: string): string {
    const path = relative(fileURLToPath(checkout), fileURLToPath(url));
    return path.startsWith("../") ? fileURLToPath(url) : path;
}

/** Lifeboat's own. Of what lies in them, only stacks/estate.ts is the user's. */
const rooms = ["model", "backup", "recovery", "components", "stacks", "scripts", "sandbox", "policies", "examples", "test"];

/** A package is nobody's here, wherever node_modules leads to (it may be a link). */
const isUsers = (url: string): boolean =>
    url === estateFile.href || (!rooms.includes(pathOf(url).split("/")[0]!) && !url.includes("/node_modules/"));

interface Place {
    url: string;
    line: string;
    column: string;
}

/** Where Node puts a syntax error: above the stack, as "file:///…:LINE" (or the path), the source, and a `^` below the column where it is one line. */
function placeAbove(stack: string): Place | undefined {
    const [, file, line] = /^(file:\/\/\S+|\/[^\n]+):(\d+)\n/.exec(stack) ?? [];
    if (file === undefined || line === undefined) return undefined;
    const [, indent] = /\n([^\S\n]*)\^+[^\S\n]*\n/.exec(stack) ?? [];
    return {
        url: file.startsWith("/") ? pathToFileURL(file).href : file,
        line,
        column: indent === undefined ? "" : String(indent.length + 1),
    };
}

/** Where it was thrown: the stack's first frame, if that is a file. */
function placeThrown(stack: string): Place | undefined {
    const [, frame = ""] = /\n {4}at ([^\n]*)/.exec(stack) ?? [];
    const [, url, line, column] = /(file:\/\/\S+):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    return url === undefined || line === undefined || column === undefined ? undefined : { url, line, column };
}

/** V8's own syntax errors ("has already been declared") carry no place; Node tells it when it ends by one. */
function placeSeenByNode(): Place | undefined {
    const { stderr } = spawnSync(process.execPath, [fileURLToPath(estateFile)], { encoding: "utf8", timeout: 10_000 });
    return placeAbove(stderr);
}

function placeOf(error: Error): Place | undefined {
    const stack = error.stack ?? "";
    if (error instanceof SyntaxError && stack.includes(" at compileSourceTextModule ")) return placeAbove(stack) ?? placeSeenByNode();
    return placeAbove(stack) ?? placeThrown(stack);
}

/** What of an import did not work, and in whose file: no place is given with it. */
function importFault(error: Error & { url?: string }): string | undefined {
    const [, wanted, importer] = /^(.*) imported from (\/.*)$/.exec(error.message) ?? [];
    if (wanted === undefined || importer === undefined) return undefined;
    if (error.url === estateFile.href) return "stacks/estate.ts is not there";
    const url = pathToFileURL(importer).href;
    return isUsers(url) ? `${pathOf(url)}: ${wanted}` : undefined;
}

/** Whether one of our own modules asks stacks/estate.ts for something that it does not export. */
function lacksExport(error: Error, { url }: Place): boolean {
    const [, specifier] = /^The requested module '([^']+)' does not provide an export/.exec(error.message) ?? [];
    return specifier?.startsWith(".") === true && new URL(specifier, url).href === estateFile.href;
}

/**
 * Tells an error of stacks/estate.ts, or of what it imports outside of Lifeboat's own rooms, from a fault in Lifeboat: it cannot be parsed, is not there, or
 * throws while it is evaluated.
 * @returns what to say of it; undefined where the error is not the user's
 */
export function estateFailure(error: unknown): Failure | undefined {
    if (!(error instanceof Error)) return undefined;
    const failure = (message: string, file = "stacks/estate.ts") => new Failure("usage", message, `correct ${file}`);
    const unmet = importFault(error);
    if (unmet !== undefined) return failure(unmet);
    const place = placeOf(error);
    if (place === undefined) return undefined;
    if (lacksExport(error, place)) return failure(error.message.replace(/^The requested module '[^']+'/, "stacks/estate.ts"));
    if (!isUsers(place.url)) return undefined;
    const file = pathOf(place.url);
    return failure([file, place.line, ...(place.column === "" ? [] : [place.column])].join(":") + `: ${error.message}`, file);
}
