/**
 * Names for what the program left unnamed: the logical name and some random hexadecimal digits, the same for the same seed of the engine.
 * Source: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
 */
export function autoname(logical: string, random: Uint8Array, digits: number, limit: number): string {
    const suffix = `-${Buffer.from(random).toString("hex").slice(0, digits)}`;
    return `${logical.slice(0, limit - suffix.length)}${suffix}`;
}
