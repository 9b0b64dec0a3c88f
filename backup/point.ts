import { randomBytes } from "node:crypto";

/** Names a recovery point after the moment that its snapshot shows: `20260131T235959Z-0f3a`. */
export const newPoint = (at: Date): string =>
    `${at.toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "")}-${randomBytes(2).toString("hex")}`;

/** Whether a name is a point's; what was saved aside, and the log, lie beside the points. */
export const isPoint = (name: string): boolean => /^\d{8}T\d{6}Z-[0-9a-f]{4}$/.test(name);

/** The moment in a point's name, to the second before. */
export function timeOf(point: string): Date {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(point) ?? [];
    return new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
}

/** Names what a server held alone, saved at that moment; it lies beside the store's points. */
export const newAside = (at: Date): string => `aside-${newPoint(at)}`;
