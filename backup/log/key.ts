import type { SiteName } from "../../model/estate.ts";
import { siteNames } from "../../model/estate.ts";
import { newPoint } from "../point.ts";

/**
 * A piece of a server's log: bytes of one of its files, from the first named to before the last one. Its name says all that a shipper must know to go on:
 * whoever ships can list the vault and cannot read it.
 */
export interface Piece {
    readonly history: string;
    readonly file: string;
    readonly from: number;
    readonly to: number;
    /** Newest transaction that is whole at `to`: GTIDs or an LSN. Absent where none ended since the piece before whose name tells one. */
    readonly position?: string;
    /** What `to` is: the end of a whole event, the end of the closed file, or any byte (a backlog is cut by size). */
    readonly ends: "event" | "file" | "anywhere";
}

/** Room for 10^15 bytes: names sort as the bytes do. */
const digits = 15;
/** A key has 1024 bytes at most; a longer position is left out, and the next piece's tells. */
const longestPosition = 600;

const escaped = (text: string): string =>
    [...Buffer.from(text)]
        .map((byte) => {
            const character = String.fromCharCode(byte);
            return /[A-Za-z0-9-]/.test(character) ? character : `_${byte.toString(16).padStart(2, "0").toUpperCase()}`;
        })
        .join("");

const unescaped = (text: string): string => decodeURIComponent(text.replaceAll(/_([0-9A-F]{2})/g, "%$1"));

/**
 * Names a history: an unbroken log of one server in one site. A new one begins where the log cannot go on: another server, a reset or purged log.
 * @param identity what the engine tells its servers apart by; may be empty
 */
export const newHistory = (at: Date, site: SiteName, identity: string): string =>
    `${newPoint(at)}~${site}${identity === "" ? "" : `~${escaped(identity)}`}`;

export interface HistoryName {
    readonly history: string;
    readonly begun: string;
    readonly site: SiteName;
    readonly identity: string;
}

/** @returns undefined for what is no history's name */
export function parseHistory(history: string): HistoryName | undefined {
    const [, begun, where, identity] = /^(\d{8}T\d{6}Z-[0-9a-f]{4})~([a-z]+)(?:~([A-Za-z0-9_-]+))?$/.exec(history) ?? [];
    const site = siteNames.find((name) => name === where);
    return begun === undefined || site === undefined
        ? undefined
        : { history, begun, site, identity: identity === undefined ? "" : unescaped(identity) };
}

const marks = { event: "", file: ".end", anywhere: ".cut" } as const satisfies Record<Piece["ends"], string>;

export const logFolder = (store: string): string => `${store}/log/`;
export const historyFolder = (store: string, history: string): string => `${logFolder(store)}${history}/`;

/** What stands behind STORE/: bound to a piece's bytes by its envelope, so that no piece can pass for another one, nor for the end of a file. */
export function pieceName({ history, file, from, to, position, ends }: Piece): string {
    const bound = (offset: number) => String(offset).padStart(digits, "0");
    const where = position === undefined ? "" : escaped(position);
    const known = where === "" || where.length > longestPosition ? "" : `~${where}`;
    return `log/${history}/${file}/${bound(from)}-${bound(to)}${known}${marks[ends]}`;
}

export const pieceKey = (store: string, piece: Piece): string => `${store}/${pieceName(piece)}`;

/** @returns undefined for what is no piece of that store */
export function parsePiece(store: string, key: string): Piece | undefined {
    if (!key.startsWith(logFolder(store))) return undefined;
    const [history, file, name, ...more] = key.slice(logFolder(store).length).split("/");
    const [, from, to, position, mark] = /^(\d{15})-(\d{15})(?:~([A-Za-z0-9_-]+))?(\.end|\.cut)?$/.exec(name ?? "") ?? [];
    if (!history || !file || more.length > 0 || from === undefined || to === undefined || !parseHistory(history)) return undefined;
    if (Number(from) > Number(to) || !isFileName(file)) return undefined;
    return {
        history,
        file,
        from: Number(from),
        to: Number(to),
        ...(position === undefined ? {} : { position: unescaped(position) }),
        ends: mark === marks.file ? "file" : mark === marks.anywhere ? "anywhere" : "event",
    };
}

/** Names come from a bucket and become files of a directory: nothing that leads out of it. */
export const isFileName = (file: string): boolean => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(file);
