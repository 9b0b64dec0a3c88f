import { bytes, formatDuration, formatSize, seconds } from "../../../model/units.ts";

const whole = (figure: string): string => figure.replaceAll(" ", "\u00a0");

/** A span in words, which does not break across lines. One that is too short for a tenth of a second is not called none. */
export const say = (value: number): string => whole(value > 0 && value < 0.05 ? "< 0.1 s" : formatDuration(seconds(value)));

/** A size in words, which does not break across lines. */
export const saySize = (value: number): string => whole(formatSize(bytes(value)));

/** Words of the evidence, in which no duration breaks across lines. */
export const unbroken = (text: string): string => text.replace(/\d[\d.]* (?:y|w|d|h|min|s|ms)\b(?: \d[\d.]* (?:w|d|h|min|s)\b)*/g, whole);
