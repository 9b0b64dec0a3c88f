import { Failure } from "../model/failure.ts";
import type { StoreKind } from "./kind.ts";
import { mariadb } from "./mariadb/kind.ts";
import { postgres } from "./postgres/kind.ts";

/** Every kind of store: a line each. */
const kinds: readonly StoreKind[] = [mariadb, postgres];

export const engines: readonly string[] = kinds.map(({ engine }) => engine);

/** The kind of a declared store, or of what a manifest says. @throws Failure("usage") for an engine that this release does not know */
export function kindOf({ engine }: { readonly engine: string }): StoreKind {
    const found = kinds.find((kind) => kind.engine === engine);
    if (found) return found;
    throw new Failure("usage", `this release of lifeboat knows no engine "${engine}"`, `it knows ${engines.join(", ")}`);
}
