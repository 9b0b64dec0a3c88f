import assert from "node:assert/strict";
import { defineEstate } from "../../../stores/estate.ts";
import { scenarios } from "../../../model/runbook.ts";
import { makeRunbook } from "../../../recovery/runbook/page.ts";
import { declaration } from "../../model/declaration.ts";
import { estate } from "../doubles.ts";

const scenario = scenarios[0]!;

describe("the printable page of a runbook", () => {
    for (const each of scenarios)
        it(`for ${each} has every line of the text, and asks nothing of anybody: no script, style, image or font from elsewhere`, () => {
            const { html, markdown } = makeRunbook(estate, each);
            const visible = html.replace(/<style>[\s\S]*?<\/style>/, "").replaceAll(/<[^>]+>/g, "");
            for (const [, heading = ""] of markdown.matchAll(/^#+ (.+)$/gm)) assert.ok(visible.includes(heading), heading);
            for (const [, block = ""] of markdown.matchAll(/^```sh\n([\s\S]*?)\n```$/gm))
                for (const line of block.split("\n"))
                    assert.ok(visible.includes(line.replaceAll(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)), line);
            assert.doesNotMatch(html, /<(script|link|img|iframe|object|embed)\b|@import|url\(/i);
            for (const [, target = ""] of html.matchAll(/ (?:src|href)="([^"]+)"/g))
                assert.match(new URL(target).origin, /^https:\/\/(health\.aws|docs\.aws)\.amazon\.com$/);
            assert.match(html, /@media print/);
        });

    it("shows markup that somebody wrote into the estate, and does not obey it", () => {
        const name = "<img src=x onerror=alert(1)>";
        const hostile = defineEstate(declaration((each) => (each.contacts = [{ name, role: "r", reach: "t" }])));
        const { html } = makeRunbook(hostile, scenario);
        assert.doesNotMatch(html, /<img/);
        assert.match(html, /&lt;img src=x onerror=alert\(1\)&gt;/);
    });

    it("has a fingerprint that changes with the text and with nothing else", () => {
        const first = makeRunbook(estate, scenario);
        assert.deepEqual(makeRunbook(estate, scenario), first);
        assert.notEqual(
            makeRunbook(defineEstate(declaration((each) => (each.decision = "6 min"))), scenario).fingerprint,
            first.fingerprint,
        );
        assert.match(first.markdown, new RegExp(`Fingerprint \\*\\*${first.fingerprint}\\*\\*`));
        assert.match(first.html, new RegExp(first.fingerprint));
    });

    it("names the account's bucket and role where the account is known", () => {
        assert.match(makeRunbook(estate, scenario).markdown, /s3:\/\/shop-lifeboat-coordination-ACCOUNT\/runbooks\/region-loss\.html/);
        assert.match(makeRunbook(estate, scenario, "123456789012").markdown, /arn:aws:iam::123456789012:role\/shop-lifeboat-break-glass/);
    });
});
