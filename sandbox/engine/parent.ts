/**
 * Calls `end` when the process that started us is gone, within half a second. The engine's plugins need it: an engine that is killed tells them
 * nothing, and the kernel's own signal for it (pdeathsig) follows the engine's thread, which may end before the engine does.
 */
export function whenParentEnds(end: () => void): void {
    const parent = process.ppid;
    setInterval(() => {
        if (process.ppid !== parent) end();
    }, 500).unref();
}
