import { Failure } from "../../model/failure.ts";

/** One copy of a server at a time: a second one would wait for the first one's locks, and hold those who write while it waits. */
export class Turn {
    #holder: { what: string; since: Date } | undefined;

    /** What is under way, in words. */
    get current(): string | undefined {
        return this.#holder && `${this.#holder.what} since ${this.#holder.since.toISOString()}`;
    }

    /** @throws Failure("unavailable") naming who holds it and since when */
    take(what: string): Disposable {
        if (this.#holder)
            throw new Failure("unavailable", `one copy at a time: under way is ${this.current}`, "wait until it is done, and ask again");
        const mine = { what, since: new Date() };
        this.#holder = mine;
        return {
            [Symbol.dispose]: () => {
                if (this.#holder === mine) this.#holder = undefined;
            },
        };
    }
}
