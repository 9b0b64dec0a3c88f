import { Failure } from "../../model/failure.ts";
import type { PhysicalStore } from "../physical.ts";

const notYet = (): never => {
    throw new Failure("refused", "physical copies are on their way", "wait for the next commit");
};

export const physical: PhysicalStore = {
    way: "network",
    programs: [],
    copy: notYet,
    unpack: notYet,
    start: notYet,
    contents: notYet,
    log: { identity: notYet, oldest: notYet, goesOn: notYet, receive: notYet, follows: notYet, reach: notYet, find: notYet },
};
