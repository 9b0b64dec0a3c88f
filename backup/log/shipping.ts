import type { LogSide } from "../../stores/physical.ts";

export interface ShipOptions {
    readonly signal: AbortSignal;
    readonly note: (line: string) => void;
    /** A piece is put at the latest when its first byte is so old, in milliseconds. Default 1500: with the put itself a log is under 2 s behind. */
    readonly sealAfter?: number;
    /** A piece has so many bytes of the log at most. Default 8 MiB. */
    readonly sealBytes?: number;
    /** Most bytes that are received and not put. Default 2 GiB: then the receiver is stopped until half of it is put; the server keeps the rest. The directory takes one file more. */
    readonly limit?: number;
    /** A new history was begun, and its first piece is put: moments in it are reached from a full copy that is taken from now on, and from no earlier one. `former`: the history that could not go on. */
    readonly onNewHistory?: (history: string, why: string, former: string | undefined) => void;
    /** The engine's side; default that of the store's kind. */
    readonly log?: LogSide;
    /** Between two looks at what was received, in milliseconds. Default 100. */
    readonly poll?: number;
    /** Longest wait between two tries, in milliseconds. Default 30 s. */
    readonly patience?: number;
}

export interface Lag {
    /** Age of the oldest byte that is received and not put; while nothing is received at least the time since it last was. */
    readonly seconds: number;
    readonly receiving: boolean;
    /** What keeps it, in words. */
    readonly trouble?: string;
}

export interface Shipping {
    /** Name of the history that is shipped now; waits until the vault has something of it. Rejected when shipping ends before. */
    history(): Promise<string>;
    /** The same at once, where it is known. */
    historyNow(): string | undefined;
    /** Fulfilled when all that had been received by now is put. Rejected when shipping ends before. */
    seal(): Promise<void>;
    lag(): Lag;
    /** Fulfilled when the signal ended it and its receiver. */
    readonly ended: Promise<void>;
}
