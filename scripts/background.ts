import { constants, setPriority } from "node:os";

/** Copies, logs and servers that are started to be looked at take what processors the store's own servers leave: this process and all that it starts. */
export const stayBehind = (): void => setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
