/** Exit codes of every `lifeboat` command. */
export const exitCodes = {
    /** Done, and every objective holds. */
    ok: 0,
    /** It ran, and the answer is no: an objective missed, a check that failed, a point that did not verify. */
    no: 1,
    /** The command line or the estate is wrong; nothing was touched. */
    usage: 2,
    /** Something this machine needs is missing; the message has the command to type. */
    prerequisite: 3,
    /** Refused, because going on would break a promise or make a second writer. */
    refused: 4,
    /** A region, server or service does not answer. */
    unavailable: 5,
    /** A fault in lifeboat itself: an error that nobody expected. Not an answer. */
    fault: 70,
    /** Stopped with Ctrl-C. */
    interrupted: 130,
} as const;
export type ExitName = keyof typeof exitCodes;

/**
 * An error for a person: what happened, and the next step. The command line prints both and exits with the code.
 * @example throw new Failure("refused", "the epoch moved to 7 while this activation held 6", "run `lifeboat status` to see who is active")
 */
export class Failure extends Error {
    override readonly name = "Failure";
    readonly exit: ExitName;
    readonly next: string;
    constructor(exit: ExitName, message: string, next: string, options?: ErrorOptions) {
        super(message, options);
        this.exit = exit;
        this.next = next;
    }
}
