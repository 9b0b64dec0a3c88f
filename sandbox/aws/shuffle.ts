/**
 * A shuffle that a seed repeats (mulberry32, Fisher and Yates).
 * @param seed any integer
 */
export function shuffler(seed: number): <T>(items: readonly T[]) => T[] {
    let state = seed >>> 0;
    const random = (): number => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    return <T>(items: readonly T[]): T[] => {
        const shuffled = [...items];
        for (let last = shuffled.length - 1; last > 0; last--) {
            const other = Math.floor(random() * (last + 1));
            [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
        }
        return shuffled;
    };
}
