import type { LogPlace } from "../../physical.ts";
import type { EventGroup, Gtid } from "./events.ts";
import { gtidsText, parseGtids, type Gtids } from "./gtids.ts";

const key = ({ domain, server }: Gtid) => `${domain}-${server}`;

/**
 * Follows the files of a log from its first byte on, and holds each to what its server wrote at its head: the state of all files before it. So a file that is missing, or that lacks its end,
 * is found, and a log that is not the copy's.
 */
export class History {
    readonly #from: LogPlace;
    readonly #copied: string;
    /** By domain and server; a domain's newest last. */
    #state = new Map<string, Gtid>();
    #previous: string | undefined;
    #behind = false;

    constructor(from: LogPlace, copied: string) {
        this.#from = from;
        this.#copied = copied;
    }

    /** A file's head. @throws Error where it does not go on from the file before it */
    begins(file: string, before: readonly Gtid[]): void {
        const said = new Map(before.map((gtid) => [key(gtid), gtid]));
        if (this.#previous !== undefined) {
            const number = (name: string) => Number(name.split(".").at(-1));
            if (number(file) !== number(this.#previous) + 1) throw new Error(`the log has a gap: behind ${this.#previous} comes ${file}`);
            const differs = [...said.values(), ...this.#state.values()].find(
                (gtid) => said.get(key(gtid))?.sequence !== this.#state.get(key(gtid))?.sequence,
            );
            if (differs)
                throw new Error(
                    `the log has a gap: ${this.#previous} ends at ${this.#text(this.#state) || "nothing"}, and ${file} begins behind ${this.#text(said) || "nothing"}`,
                );
        }
        this.#state = said;
        this.#previous = file;
    }

    /** Takes a whole transaction. @returns whether the copy has it: it stands before the place from which the log goes on */
    passes(group: EventGroup & { readonly file: string }): boolean {
        const own = group.file === this.#from.file && group.from < this.#from.offset;
        if (own && group.to > this.#from.offset) throw new Error(`${this.#place()} is within a transaction: the log is not the copy's`);
        if (!own) this.#leaveCopy();
        this.#state.delete(key(group));
        this.#state.set(key(group), group);
        return own;
    }

    /** A file's end. @throws Error where it ends before the copy's own place */
    ends(file: string, end: number): void {
        if (file === this.#from.file && end < this.#from.offset)
            throw new Error(
                `the log goes to byte ${end} of ${file}, and the copy ends at byte ${this.#from.offset}: a part of it is missing`,
            );
        this.#leaveCopy();
    }

    /** The newest of each domain. */
    state(): Gtids {
        return new Map([...this.#state.values()].map((gtid) => [gtid.domain, gtid]));
    }

    #place(): string {
        return `byte ${this.#from.offset} of ${this.#from.file}`;
    }

    #text(state: ReadonlyMap<string, Gtid>): string {
        return gtidsText(new Map([...state.values()].map((gtid) => [gtid.domain, gtid])));
    }

    /** Once, at the place where the copy was taken: whether the log says there what the copy says. */
    #leaveCopy(): void {
        if (this.#behind) return;
        this.#behind = true;
        const has = parseGtids(this.#copied);
        for (const [domain, { server, sequence }] of this.state()) {
            const own = has.get(domain);
            if (own && (own.sequence > sequence || (own.sequence === sequence && own.server === server))) continue;
            throw new Error(
                `the log is not the copy's: at ${this.#place()} it has ${gtidsText(this.state())}, and the copy has ${this.#copied || "nothing"}`,
            );
        }
    }
}
