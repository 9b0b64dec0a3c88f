import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { page } from "../../../sandbox/rehearsal/page/page.ts";
import { pastOf } from "../../../sandbox/rehearsal/trend.ts";
import { browserPackage } from "../../../scripts/setup/packages.ts";
import { which } from "../../../scripts/setup/run.ts";
import { startBrowser, type Browser } from "../../support/browser.ts";
import { found } from "./found.ts";

const chromium = which(browserPackage);

/** Elements that stick out of the page on the right, and text that does not fit its own box. */
const overflowing = `[...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map((each) => each.outerHTML.slice(0, 120))`;
/** Durations whose figure and unit do not stand on one line. */
const broken = `(() => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        for (const { 0: said, index } of node.data.matchAll(/\\d[\\d.]*\\s(h|min|s)\\b(\\s\\d+\\s(min|s)\\b)*/g)) {
            const range = document.createRange();
            range.setStart(node, index);
            range.setEnd(node, index + said.length);
            if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(said);
        }
    return found;
})()`;
const width = "document.documentElement.scrollWidth";
/** Colours of the picture at \`url\`, with how many of its pixels have each. */
const colours = (url: string) => `(async () => {
    const picture = new Image();
    picture.src = ${JSON.stringify(url)};
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const counts = {};
    const { data } = context.getImageData(0, 0, picture.width, picture.height);
    for (let at = 0; at < data.length; at += 4) {
        const colour = data[at] + "," + data[at + 1] + "," + data[at + 2];
        counts[colour] = (counts[colour] ?? 0) + 1;
    }
    return counts;
})()`;

describe("the report page in a browser", function () {
    this.timeout(60_000);
    if (!chromium) {
        it.skip("is looked at in Chromium");
        return;
    }
    let browser: Browser;
    let directory: string;
    let url: string;
    before(async () => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-page-"));
        const file = join(directory, "page.html");
        const filed = {
            file: "2026-11-21T18-41-25-819Z-region-loss-41.json",
            sha256: "ab".repeat(32),
            fingerprint: `sha256:${"cd".repeat(32)}`,
        };
        const earlier = Array.from({ length: 40 }, () => pastOf(filed.file, found));
        // Figures of every kind that are as wide as they become.
        const latch = { measuredSeconds: 88, scaledSeconds: 88, modelledSeconds: 631, declaredSeconds: 631, source: "took 88.0 s" };
        const wide = { ...found, clock: { ...found.clock, latch } };
        writeFileSync(file, page(wide, filed, { past: earlier, leftOut: [`${filed.file}: not signed: there is no .sig file beside it`] }));
        url = pathToFileURL(file).href;
        browser = await startBrowser(chromium);
    });
    after(async () => {
        await browser?.close();
        rmSync(directory, { recursive: true, force: true });
    });

    for (const view of [{ width: 360 }, { width: 1200 }, { width: 360, dark: true }, { width: 720, print: true }]) {
        const name = `${view.width} px${view.dark ? ", dark" : ""}${view.print ? ", printed" : ""}`;
        it(`fits, asks for nothing, and shows each texture: ${name}`, async () => {
            const asked = await browser.open(url, view);
            assert.deepEqual(asked, [url]);
            assert.deepEqual(await browser.evaluate(overflowing, z.array(z.string())), []);
            assert.equal(await browser.evaluate(width, z.number()), view.width);
            assert.deepEqual(await browser.evaluate(broken, z.array(z.string())), []);
            // The looks of the bars, as the browser has worked them out: no two kinds look the same.
            const looks = `"measured scaled modelled declared".split(" ").map((kind) => {
                const { backgroundColor, backgroundImage, borderStyle } = getComputedStyle(document.querySelector(".bar." + kind));
                return [backgroundColor, backgroundImage, borderStyle].join("; ");
            })`;
            assert.equal(new Set(await browser.evaluate(looks, z.array(z.string()))).size, 4);
            const picture = await browser.screenshot();
            const counts = await browser.evaluate(
                colours(`data:image/png;base64,${picture.toString("base64")}`),
                z.record(z.string(), z.number()),
            );
            const all = Object.values(counts).reduce((a, b) => a + b);
            const [paper = 0, ...inks] = Object.values(counts).sort((a, b) => b - a);
            assert.ok(paper / all < 0.97 && inks.length > 20, `${inks.length} colours, ${((paper / all) * 100).toFixed(1)} % paper`);
        });
    }
    it("prints on a few pages of A4", async () => {
        await browser.open(url, { width: 1200 });
        const pdf = (await browser.pdf()).toString("latin1");
        const pages = pdf.match(/\/Type \/Page\b/g)!.length;
        assert.ok(pages >= 2 && pages <= 6, `${pages} pages`);
    });
});
