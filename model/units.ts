/** Durations, sizes and rates as types: a figure without its unit does not compile. */
declare const unit: unique symbol;
type Quantity<Unit extends string> = number & { readonly [unit]: Unit };

/** A span of time in seconds. */
export type Seconds = Quantity<"seconds">;
/** A size in bytes. */
export type Bytes = Quantity<"bytes">;
/** A rate in bytes per second. */
export type BytesPerSecond = Quantity<"bytes per second">;

export const seconds = (value: number): Seconds => value as Seconds;
export const minutes = (value: number): Seconds => (value * 60) as Seconds;
export const bytes = (value: number): Bytes => value as Bytes;
export const bytesPerSecond = (value: number): BytesPerSecond => value as BytesPerSecond;

const durationUnits = { ms: 0.001, s: 1, min: 60, h: 3600, d: 86400, w: 604800, y: 31536000 } as const;
const sizeUnits = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const;

function parse(text: string, units: Readonly<Record<string, number>>, example: string): number {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text);
    const factor = match && Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined;
    if (!match || factor === undefined)
        throw new RangeError(`"${text}" is not a quantity; write a number and one of ${Object.keys(units).join(", ")}, as in "${example}"`);
    return Number(match[1]) * factor;
}

/** Reads `"15 min"`, `"30 s"`, `"4 h"`, `"7 y"` (a year is 365 days). @throws RangeError that names the units allowed. */
export const parseDuration = (text: string): Seconds => seconds(parse(text, durationUnits, "15 min"));
/** Reads `"10 GiB"`, `"100 MB"`. @throws RangeError that names the units allowed. */
export const parseSize = (text: string): Bytes => bytes(parse(text, sizeUnits, "10 GiB"));
/** Reads `"80 MB/s"`. @throws RangeError that names the units allowed. */
export const parseRate = (text: string): BytesPerSecond => {
    if (!/\/\s*s\s*$/.test(text)) throw new RangeError(`"${text}" is not a rate; write a size per second, as in "80 MB/s"`);
    return bytesPerSecond(parse(text.replace(/\/\s*s\s*$/, ""), sizeUnits, "80 MB/s"));
};

/** `95` -> `"1 min 35 s"`; below a minute one decimal is kept. */
export function formatDuration(span: Seconds): string {
    if (span < 60) return `${Number(span.toFixed(1))} s`;
    const whole = Math.round(span);
    const parts: [number, string][] = [
        [Math.floor(whole / 86400), "d"],
        [Math.floor((whole % 86400) / 3600), "h"],
        [Math.floor((whole % 3600) / 60), "min"],
        [whole % 60, "s"],
    ];
    return parts
        .filter(([n]) => n > 0)
        .map(([n, u]) => `${n} ${u}`)
        .join(" ");
}

/** `1931` -> `"1.9 kB"`: decimal units, as network and storage rates are told; one decimal below ten of a unit. */
export function formatSize(size: Bytes): string {
    const unit = (["TB", "GB", "MB", "kB"] as const).find((name) => size >= sizeUnits[name]) ?? "B";
    const figure = size / sizeUnits[unit];
    return `${figure < 10 && unit !== "B" ? Number(figure.toFixed(1)) : Math.round(figure)} ${unit}`;
}
