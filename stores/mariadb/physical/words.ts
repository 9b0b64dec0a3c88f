/** What a program said last that is an error, as one line; without the times and marks before it. */
export function lastWords(error: unknown): string {
    const text = error instanceof Error ? error.message : String(error);
    const lines = text.split("\n").map((line) => line.trim());
    const found =
        lines.findLast((line) => /error|denied|failed|no space|cannot|can't/i.test(line)) ?? lines.findLast((line) => line !== "");
    return (found ?? text).replace(/^(\[\d+\] )?\d{4}-\d\d-\d\d [\d:]+ (\d+ )?/, "").replace(/^\[ERROR\] /i, "");
}
