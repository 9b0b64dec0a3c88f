import assert from "node:assert/strict";
import { candidates } from "../../backup/choice.ts";
import { postgres } from "../../stores/postgres/kind.ts";
import { mariadb } from "../../stores/mariadb/kind.ts";
import type { Moment } from "../../model/moment.ts";
import { manifestOf, recoveryPointOf } from "../support/points.ts";

/** A point of 01:MM:00 whose copy was done 3 s later. */
const at = (minute: number, position: string, history?: string, file = "f1", offset = 100) =>
    recoveryPointOf(
        manifestOf(`20260101T01${String(minute).padStart(2, "0")}00Z-abcd`, {
            server: { version: "15", position },
            ...(history === undefined ? {} : { log: { history, file, offset } }),
        }),
    );
const minutesOf = (points: ReturnType<typeof candidates>) => points.map(({ manifest }) => Number(manifest.point.slice(11, 13)));

describe("the points from which a moment may be reached", () => {
    const points = [
        at(9, "0/900", "b", "f3"),
        at(7, "0/700", "b", "f2", 5_000),
        at(5, "0/500"),
        at(3, "0/300", "a", "f10"),
        at(1, "0/100", "a", "f9"),
    ];
    const choose = (moment: Moment) => minutesOf(candidates(points, moment, postgres.covers));

    it("are, for the newest, the newest", () => assert.deepEqual(choose({ to: "newest" }), [9]));

    it("are not those whose copy was still under way at the instant, and of each log the newest one", () => {
        assert.deepEqual(choose({ to: "time", at: new Date("2026-01-01T01:09:02.999Z") }), [7, 5, 3]);
        assert.deepEqual(choose({ to: "time", at: new Date("2026-01-01T01:09:03Z") }), [9, 5, 3]);
        assert.deepEqual(choose({ to: "time", at: new Date("2026-01-01T01:00:00Z") }), []);
    });

    it("do not stand behind the position", () => {
        assert.deepEqual(choose({ to: "position", position: "0/6FF" }), [5, 3]);
        assert.deepEqual(choose({ to: "position", position: "0/300" }), [3]);
        assert.deepEqual(choose({ to: "position", position: "0/FF" }), []);
        assert.throws(() => choose({ to: "position", position: "yesterday" }), /no position/);
    });

    it("are, for a transaction that does not say where it stands, all that have a log", () =>
        assert.deepEqual(choose({ to: "before", transaction: "741" }), [9, 7, 3, 1]));

    it("do not have the transaction, where it says where it stands", () => {
        const some = [at(3, "0-1-30,1-1-2", "a"), at(2, "0-1-20,1-1-1", "a"), at(1, "0-1-10", "a")];
        assert.deepEqual(minutesOf(candidates(some, { to: "before", transaction: "0-1-30" }, mariadb.covers)), [2, 1]);
        assert.deepEqual(minutesOf(candidates(some, { to: "before", transaction: "1-1-1" }, mariadb.covers)), [1]);
    });

    it("begin at or before a place of the log, whose files may outgrow their digits", () => {
        assert.deepEqual(choose({ to: "place", file: "f2", offset: 4_999 }), []);
        const more = (file: string, offset: number) =>
            minutesOf(candidates(points.slice(3), { to: "place", file, offset }, postgres.covers));
        assert.deepEqual(more("f10", 100), [3]);
        assert.deepEqual(more("f10", 99), [1]);
        assert.deepEqual(more("f9", 99), []);
    });
});
