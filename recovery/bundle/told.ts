/**
 * The one line that says why a program ended: of a stack trace the error itself, else the last line.
 * @example reasonIn("node:internal/…\n\nError: Cannot find module 'x'\n    at y\n\nNode.js v24") === "Error: Cannot find module 'x'"
 */
export function reasonIn(said: string): string {
    const lines = said.split("\n").filter((line) => line.trim() !== "");
    const thrown = lines.findIndex((line) => line.startsWith("    at "));
    const error = lines.slice(0, Math.max(thrown, 0)).findLast((line) => /^(?:lifeboat: )?(?:Uncaught )?\w*Error\b/.test(line));
    return (error ?? lines.at(-1) ?? "it said nothing").trim();
}

/** Finds a message and its next step as `lifeboat` and `get.sh` write them, behind how it went; of a fault's stack trace one line. */
export function toldBy(stderr: string): { message: string; next: string } {
    const [, message, next] = /(?:^|\n)lifeboat: ((?:(?!\nlifeboat: )[^])*)\n {2}next: ([^\n]*)\s*$/.exec(stderr) ?? [];
    const whole = message === undefined || /\n {4}at /.test(message);
    return {
        message: whole ? reasonIn(message ?? stderr) : message,
        next: next ?? "mend what it says, then put a new bundle: `lifeboat bundle`",
    };
}
