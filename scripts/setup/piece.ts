export type Note = (line: string) => void;

/** One thing that set-up puts into the cache: a directory that appears by one rename when it is whole. */
export interface Piece {
    readonly name: string;
    /** Where it lies when it is whole. */
    readonly directory: string;
    /** Names what it is made from: version and a hash of the inputs. Another key means that it is made anew. */
    readonly key: string;
    /** Files, relative to the directory, whose size and time are remembered: a change sends for `probe`. */
    readonly files: readonly string[];
    /** @throws Failure("prerequisite") when this machine lacks what `build` needs. Asked only if it has to be built. */
    requires(): Promise<void>;
    /** Makes it in `directory` (which exists, empty, and is not yet the final place). Appends its output to `log`. */
    build(directory: string, log: string): Promise<void>;
    /** Runs what lies in `directory`. @throws when it does not work or is another version. */
    probe(directory: string): Promise<void>;
}
