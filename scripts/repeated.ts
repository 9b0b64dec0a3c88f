/**
 * For an option that may be given more than once, with one value each: `--trusted A --trusted B`. A variadic one (`<who...>`) would take the command's own
 * arguments behind it for values.
 * @example .option("--trusted <who>", "whose signature counts", repeated)
 */
export const repeated = (value: string, before: readonly string[] = []): string[] => [...before, value];
