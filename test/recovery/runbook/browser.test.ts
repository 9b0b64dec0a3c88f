import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { scenarios } from "../../../model/runbook.ts";
import { makeRunbook } from "../../../recovery/runbook/page.ts";
import { browserPackage } from "../../../scripts/setup/packages.ts";
import { which } from "../../../scripts/setup/run.ts";
import { estate } from "../../../stacks/estate.ts";
import { startBrowser, type Browser } from "../../support/browser.ts";

const chromium = which(browserPackage);

/** Elements that stick out of the page on the right. */
const overflowing = `[...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
    .map((each) => each.outerHTML.slice(0, 120))`;

describe("a runbook's page in a browser", function () {
    this.timeout(60_000);
    if (!chromium) {
        it.skip("is looked at in Chromium");
        return;
    }
    let browser: Browser;
    let directory: string;
    before(async () => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-runbook-"));
        browser = await startBrowser(chromium);
    });
    after(async () => {
        await browser?.close();
        rmSync(directory, { recursive: true, force: true });
    });

    for (const scenario of scenarios) {
        const open = async (view: Parameters<Browser["open"]>[1]) => {
            const file = join(directory, `${scenario}.html`);
            writeFileSync(file, makeRunbook(estate, scenario, "123456789012").html);
            const url = pathToFileURL(file).href;
            assert.deepEqual(await browser.open(url, view), [url], "it asks for nothing else");
        };
        for (const view of [{ width: 360 }, { width: 1200 }, { width: 360, dark: true }, { width: 720, print: true }])
            it(`of ${scenario} fits ${view.width} px${view.dark ? ", dark" : ""}${view.print ? ", printed" : ""}`, async () => {
                await open(view);
                assert.deepEqual(await browser.evaluate(overflowing, z.array(z.string())), []);
            });
        it(`of ${scenario} prints on few enough pages of A4 to be carried`, async () => {
            await open({ width: 1200 });
            const pages = (await browser.pdf()).toString("latin1").match(/\/Type \/Page\b/g)?.length ?? 0;
            assert.ok(pages >= 2 && pages <= 12, `${pages} pages`);
        });
    }
});
