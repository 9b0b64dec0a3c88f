import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Evidence } from "../../../sandbox/rehearsal/evidence.ts";
import { markup } from "../../../sandbox/rehearsal/page/markup.ts";
import { page } from "../../../sandbox/rehearsal/page/page.ts";
import { heightScale, lanes, linePath, timeScale } from "../../../sandbox/rehearsal/page/scale.ts";
import { pastOf, trendOf, type Past } from "../../../sandbox/rehearsal/trend.ts";
import { found } from "./found.ts";

const filed = { file: "found.json", sha256: "ab".repeat(32), fingerprint: "sha256:cd" };
const draw = (evidence: Evidence, past: Past[] = [pastOf(filed.file, evidence)]) => page(evidence, filed, { past, leftOut: [] });

describe("the report page", () => {
    const text = draw(found);
    const row = (name: string) => new RegExp(`<th scope="row">${name}</th>(.*?)</tr>`, "s").exec(text)![1]!;

    it("says the verdict, why, what was promised and found, and how to repeat it", () => {
        for (const said of [
            "<title>FAIL: region-loss of orders",
            "RPO: 3 acknowledged orders are lost",
            "9 min 40 s",
            "./lifeboat rehearse region-loss --fast 10 --seed 7 --load shop.sql.gz",
            "lost: 98, 99, 100",
            "no verified recovery point",
            "EC2 boot",
            filed.sha256,
        ])
            assert.ok(text.includes(said), said);
    });
    it("keeps measured, scaled, modelled and declared in columns and textures of their own", () => {
        const cells = (name: string) => [...row(name).matchAll(/<td class="number">(.*?)<\/td>/g)].map(([, cell]) => cell);
        assert.deepEqual(cells("scale"), ["9 s", "", "1 min", ""]);
        assert.deepEqual(cells("sum"), ["9 s", "30 s", "1 min", "5 min"]);
        assert.match(text, /class="bar declared" style="left:\d+\.\d+%;width:\d+\.\d+%" title="5 min declared"/);
    });
    it("draws every span where the one before it ended", () => {
        const bars = [...text.matchAll(/class="bar (?:measured|scaled|modelled|declared)" style="left:([\d.]+)%;width:([\d.]+)%"/g)];
        const places = bars.slice(0, 4).map(([, left, width]) => [Number(left), Number(width)] as const);
        assert.equal(places[0]![0], 0);
        places.slice(1).forEach(([left], index) => assert.ok(Math.abs(left - places[index]![0] - places[index]![1]) < 0.01));
    });
    it("draws lost orders apart from those that survived, and breaks the line of a lag that nobody knows", () => {
        const course = text.slice(text.indexOf("As it happened"), text.indexOf("Calls by region"));
        assert.equal(course.match(/<rect class="kept"/g)!.length, 2);
        assert.equal(course.match(/<rect class="lost"/g)!.length, 1);
        assert.match(course, /2 readings, 1 unknown/);
    });
    it("does not call a replica level that never said how far it was behind", () => {
        const lag = [{ store: "orders-mysql", seconds: -1, lagSeconds: null }];
        assert.match(draw({ ...found, series: { ...found.series!, lag } }), /unknown<span class="key">1 readings, 1 unknown/);
    });
    it("lists the first of many lost orders, and says how many more there are", () => {
        const lostNumbers = Array.from({ length: 100 }, (_, number) => number);
        assert.match(
            draw({ ...found, orders: { ...found.orders, lost: 302, lostNumbers } }),
            /lost: 0, 1, .*, 11, and 290 more: see the evidence</,
        );
    });
    it("tells of each table of a user's own data whether it came through", () => {
        const cells = (name: string) => [...row(name).matchAll(/<td class="number">(.*?)<\/td>/g)].map(([, cell]) => cell);
        assert.deepEqual(cells("people"), ["5", "the same", "the same"]);
        assert.deepEqual(cells("towns"), ["2", "other content", "not there"]);
    });
    it("tells who wrote when, and what else was demanded, where the old site lived on", () => {
        assert.match(text, /Never two writers <b class="badge PASS">/);
        assert.match(text, /<dt>silence between them<\/dt><dd>18.5 s<\/dd>/);
        assert.match(row("the old primary gets no traffic"), /NO/);
        assert.ok(text.includes("3 orders went there"));
        const { writers: _, checks: __, ...dead } = found;
        assert.doesNotMatch(draw(dead), /Never two writers|Demanded and seen/);
    });
    it("needs nothing but itself, and runs nothing", () => {
        assert.doesNotMatch(text, /<(script|link|img|iframe|object|embed)\b|@import|url\(|\b(src|href|on\w+)=/i);
        assert.match(text, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
    });
    it("escapes whatever the evidence brings along", () => {
        const hostile = `"><script>alert('1')</script>&`;
        const drawn = draw({
            ...found,
            reasons: [hostile],
            service: hostile,
            clock: { [hostile]: { measuredSeconds: 1, source: hostile } },
            callsByRegion: { [hostile]: { [hostile]: 1 } },
        });
        assert.doesNotMatch(drawn, /<script/);
        assert.ok(drawn.includes("&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;"));
    });
    it("shows evidence that is older than some of its fields, and says what it lacks", () => {
        const { series: _, callsByRegion: __, ...older } = found;
        const drawn = draw(older);
        assert.match(drawn, /older than the record of what happened when/);
        assert.match(drawn, /<th class="number">lost region<\/th>/);
    });
    it("does not call a recovery that never ended fast", () => {
        const never = { ...found, rto: { ...found.rto, totalSeconds: null, verdict: "FAIL" as const } };
        assert.match(draw(never), /<p class="big">never<\/p>/);
        assert.match(draw(never), /<rect class="failed" x="[\d.]+" width="[\d.]+" y="0\.00" height="100\.00"\/>/);
    });
});

describe("the trend", () => {
    const past = pastOf("a.json", {
        ...found,
        recoveryPoints: [
            { ...found.recoveryPoints[0]!, dumpBytes: 3000, backupSeconds: 2, restoreSeconds: 1 },
            { ...found.recoveryPoints[0]!, dumpBytes: 1000, backupSeconds: 2, restoreSeconds: null },
        ],
    });
    it("tells rates over all stores of which both figures are known", () => {
        assert.equal(past.backupBytesPerSecond, 1000);
        assert.equal(past.restoreBytesPerSecond, 3000);
        assert.equal(pastOf("b.json", found).backupBytesPerSecond, null);
    });
    it("is of one scenario, oldest first", () => {
        const later = { ...past, file: "b.json", startedAt: "2026-02-01T00:00:00.000Z" };
        const other = { ...past, scenario: "partition" };
        assert.deepEqual(
            trendOf([later, other, past], "region-loss").map(({ file }) => file),
            ["a.json", "b.json"],
        );
    });
});

describe("scales", () => {
    it("put round instants on a track, as many as a telephone can show", () => {
        assert.deepEqual(timeScale(0, 600).ticks, [0, 300, 600]);
        assert.deepEqual(timeScale(-21.4, 24.2).ticks, [-15, 0, 15]);
        fc.assert(
            fc.property(fc.integer({ min: -5000, max: 0 }), fc.integer({ min: 1, max: 100_000 }), (from, to) => {
                const { ticks, place } = timeScale(from, to);
                assert.ok(ticks.length <= 6);
                assert.ok(ticks.every((tick) => tick >= from && tick <= to && place(tick) >= 0 && place(tick) <= 100));
            }),
        );
    });
    it("put what lies outside on the edge", () => {
        const { place } = timeScale(0, 10);
        assert.deepEqual([place(-5), place(5), place(50)], [0, 50, 100]);
    });
    it("hold the highest, and a figure that is always 0", () => {
        assert.equal(heightScale(12).place(12), 100);
        assert.equal(heightScale(0).place(0), 0);
    });
    it("break a line where a figure is unknown", () => {
        const points = [0, null, 5, 10].map((value, index) => ({ second: index, value }));
        assert.equal(linePath(points, timeScale(0, 3), heightScale(10)).match(/M/g)!.length, 2);
    });
    it("give marks that would stand on one another rows of their own", () => {
        assert.deepEqual(lanes([0, 1, 2, 50, 51], 6), [0, 1, 2, 0, 1]);
    });
});

describe("markup", () => {
    it("escapes text, keeps markup, and joins lists", () => {
        const inner = [markup`<b>${"<"}</b>`, markup`<i>${1}</i>`];
        assert.equal(markup`<p title="${'"'}">${inner}</p>`.text, '<p title="&quot;"><b>&lt;</b><i>1</i></p>');
    });
});
