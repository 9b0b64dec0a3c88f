import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Evidence } from "../../../sandbox/rehearsal/evidence.ts";
import { markup } from "../../../sandbox/rehearsal/page/markup.ts";
import { page } from "../../../sandbox/rehearsal/page/page.ts";
import { heightScale, lanes, linePath, timeScale } from "../../../sandbox/rehearsal/page/scale.ts";
import { pastOf, trendOf, type Past } from "../../../sandbox/rehearsal/trend.ts";
import { found } from "./found.ts";

const filed = { file: "found.json", sha256: "ab".repeat(32), fingerprint: "sha256:cd" };
const exactly = (evidence: Evidence, past: Past[] = [pastOf(filed.file, evidence)]) => page(evidence, filed, { past, leftOut: [] });
/** With plain spaces, whether they may break or not. */
const draw = (...of: Parameters<typeof exactly>) => exactly(...of).replaceAll("\u00a0", " ");

describe("the report page", () => {
    const text = draw(found);
    const row = (name: string) => new RegExp(`<th scope="row">${name}</th>(.*?)</tr>`, "s").exec(text)![1]!;

    it("says the verdict, why, what was promised and found, and how to repeat it", () => {
        for (const said of [
            "<title>FAIL: region-loss of orders",
            "RPO: 3 acknowledged orders are lost",
            "9 min 40 s",
            "./lifeboat rehearse region-loss --failback --fast 10 --seed 7 --load shop.sql.gz",
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
        const clock = text.slice(text.indexOf("<h2>The recovery clock"));
        const bars = [...clock.matchAll(/class="bar (?:measured|scaled|modelled|declared)" style="left:([\d.]+)%;width:([\d.]+)%"/g)];
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
    const cards = (drawn: string) => [...drawn.matchAll(/<article.*?<\/article>/gs)].map(([card]) => card);
    const card = (drawn: string, name: string) => cards(drawn).find((each) => each.includes(`<h3>${name}`))!;
    it("says on the RPO card of a partition what is not counted in it", () => {
        const said =
            "Not counted: 12 orders, acknowledged by the cut-off primary alone in the 14 s after the cut; 11 of them are lost. No objective promises them.";
        assert.ok(card(text, "RPO").includes(`<p class="note">${said}</p>`));
        const { writers: _, ...dead } = found;
        assert.doesNotMatch(draw(dead), /Not counted: \d/);
    });
    it("counts as lost after the cut what the cut-off primary acknowledged alone, apart from what the standby lost", () => {
        const orders = { ...found.orders, lost: 13, lostAfterTheLoss: 1 };
        assert.match(
            card(draw({ ...found, orders }), "Orders"),
            /<dt>lost from before the cut<\/dt><dd>1<\/dd><dt>lost after the cut<\/dt><dd>12<\/dd><dt>of these acknowledged by the surviving site<\/dt><dd>1<\/dd>/,
        );
        const { writers: _, ...dead } = found;
        assert.match(card(draw(dead), "Orders"), /<dt>lost after the loss, by the surviving site<\/dt><dd>0<\/dd>/);
        const known = { ...dead, orders: { ...dead.orders, lostAlone: 0 } };
        assert.match(card(draw(known), "Orders"), /<dt>lost from before the loss<\/dt><dd>3<\/dd><dt>lost after the loss<\/dt><dd>0<\/dd>/);
    });
    it("tells of the way back what it took, what customers had of it, what was saved aside, and what was demanded", () => {
        const section = /<h2>The way back<\/h2>.*?<\/section>/s.exec(text)![0];
        assert.match(card(section, "Fail-back"), /class="badge FAIL">.*<p class="big">46.5 s<\/p>.*since the loss<\/dt><dd>1<\/dd>/s);
        assert.match(card(section, "The switch"), /<p class="big">15.5 s<\/p>.*standby<\/dt><dd>183<\/dd>.*primary<\/dt><dd>203<\/dd>/s);
        assert.match(
            card(section, "Longest wait of a customer"),
            /<p class="big">2 min 40 s<\/p>.*<dt>measured<\/dt><dd>16 s<\/dd>.*<dd>54 s<\/dd>.*<dd>1 min 30 s<\/dd><dt>expected at most<\/dt><dd>3 min 5 s<\/dd>/s,
        );
        assert.match(card(section, "Saved aside"), /<p class="big">2 rows<\/p>.*<dt>orders-mysql<\/dt><dd>2<\/dd>/s);
        assert.match(section, /<dt>rejoin:orders-mysql<\/dt><dd>1 min 28 s<\/dd>/);
        assert.match(section, /the old primary gets no traffic/);
        assert.equal(text.match(/the old primary gets no traffic/g)!.length, 1);
    });
    it("says nothing of a way back that was not gone, and does not repeat it", () => {
        const { failback: _, ...there } = found;
        assert.doesNotMatch(draw(there), /way back|--failback/);
        assert.match(draw(there), /<h2>Demanded and seen<\/h2>.*the old primary gets no traffic/s);
    });
    it("says of a switch that never ended that it never did", () => {
        const failback = { ...found.failback!, switchSeconds: null };
        assert.match(card(draw({ ...found, failback }), "The switch"), /<p class="big">never<\/p>/);
    });
    it("draws and names no worst case where no model gives one", () => {
        for (const boundSeconds of [null, 0]) {
            const drawn = draw({ ...found, rto: { ...found.rto, boundSeconds } });
            assert.doesNotMatch(card(drawn, "RTO"), /at worst/);
            assert.doesNotMatch(/<h2>The recovery clock.*?<\/section>/s.exec(drawn)![0], /rule bound|at worst/);
        }
    });
    it("lets no duration break across lines, its own and those in the evidence's words", () => {
        const clock = { detect: { measuredSeconds: 88, source: "took 1 min 28.5 s at --fast 10" } };
        const shown = exactly({ ...found, clock, reasons: ["RTO: 1 h 4 min is over"] }).replace(/<style>.*<\/style>/s, "");
        assert.deepEqual(shown.match(/\d (min|s|h)\b/g), null);
        assert.ok(shown.includes("took 1\u00a0min\u00a028.5\u00a0s at --fast 10"));
        assert.ok(shown.includes("RTO: 1\u00a0h\u00a04\u00a0min is over"));
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
        assert.match(
            card(draw(never), "RTO"),
            /<p class="big">never<\/p><p class="aside">within what was watched \(6 min 39 s on the recovery clock\)/,
        );
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
