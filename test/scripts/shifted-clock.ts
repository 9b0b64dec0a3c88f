/** Loaded into a command by a test (NODE_OPTIONS=--import): its clock is ahead of everybody's by LIFEBOAT_TEST_AHEAD milliseconds. */
const ahead = Number(process.env["LIFEBOAT_TEST_AHEAD"]);
const Real = Date;
globalThis.Date = class extends Real {
    constructor(...values: [] | [number | string | Date]) {
        super(values.length === 0 ? Real.now() + ahead : values[0]);
    }
    static override now(): number {
        return Real.now() + ahead;
    }
} as DateConstructor;
