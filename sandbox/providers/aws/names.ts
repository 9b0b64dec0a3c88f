import type { Props } from "../values.ts";

/** The first name that is not among those known. */
export const unknownName = (props: Props, known: readonly string[]): string | undefined =>
    Object.keys(props).find((name) => !known.includes(name));
