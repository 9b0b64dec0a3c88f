import { Failure } from "../model/failure.ts";

/** The engines whose servers this machine can start. */
export type Engine = "mariadb" | "postgres";

/** @throws Failure("refused") for a store of another engine */
export function engineHere({ engine }: { readonly engine: string }): Engine {
    if (engine === "mariadb" || engine === "postgres") return engine;
    throw new Failure(
        "refused",
        `this machine has no server of the engine "${engine}"`,
        "take the store out of the estate that is rehearsed",
    );
}
