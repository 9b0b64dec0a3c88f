const keptOfLog = 600;

/**
 * Why a command of ours failed in a pod, in one line: what it said last, of all attempts. The end of the log where nothing in it is ours.
 * @example whyOf("lifeboat: no such point\n  next: choose another\n") // "no such point"
 */
export function whyOf(log: string): string {
    const [, message, because] = [...log.matchAll(/^lifeboat: ([^\n]*)(?:\n {2}because ([^\n]*))?/gm)].at(-1) ?? [];
    if (message === undefined) return log.trim().slice(-keptOfLog) || "it said nothing";
    return because === undefined ? message : `${message}: ${because}`;
}
