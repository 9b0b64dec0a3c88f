import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenarios } from "../../../model/runbook.ts";
import { lifeboat } from "../../support/cli.ts";

describe("lifeboat runbook", function () {
    this.timeout(30_000);
    const titles = (text: string) => [...text.matchAll(/^# (.+)$/gm)].map(([, title]) => title);

    it("prints every runbook, or the one that is named", async () => {
        const [all, one] = await Promise.all([lifeboat(["runbook"]), lifeboat(["runbook", "partition"])]);
        assert.deepEqual([all.code, all.stderr, one.code, one.stderr], [0, "", 0, ""]);
        assert.equal(titles(all.stdout).length, scenarios.length);
        assert.deepEqual(titles(one.stdout), ["Runbook of orders: the primary is cut off, and lives"]);
        assert.ok(all.stdout.includes(one.stdout.trim()));
    });

    it("prints them as JSON: every one in a list, the one that is named by itself", async () => {
        const [all, one] = await Promise.all([
            lifeboat(["runbook", "--json", "--format", "html"]),
            lifeboat(["runbook", "failback", "--json"]),
        ]);
        const { runbooks } = JSON.parse(all.stdout) as { runbooks: { scenario: string; text: string }[] };
        assert.deepEqual(
            runbooks.map(({ scenario }) => scenario),
            scenarios,
        );
        for (const { text } of runbooks) assert.match(text, /^<!doctype html>/);
        assert.equal((JSON.parse(one.stdout) as { scenario: string }).scenario, "failback");
    });

    it("prints one HTML page at a time, and says how to have all", async () => {
        const { code, stdout, stderr } = await lifeboat(["runbook", "--format", "html"]);
        assert.deepEqual([code, stdout], [2, ""]);
        assert.match(stderr, /an HTML page is of one scenario\n {2}next: name one of region-loss, .*--export DIRECTORY/);
        const one = await lifeboat(["runbook", "standby-loss", "--format", "html"]);
        assert.equal(one.stdout.match(/<!doctype html>/g)?.length, 1);
    });

    it("puts the one that is named onto a stick, and no other", async () => {
        const stick = mkdtempSync(join(tmpdir(), "lifeboat-stick-"));
        try {
            assert.equal((await lifeboat(["runbook", "failback", "--export", stick])).code, 0);
            assert.deepEqual(readdirSync(stick).sort(), ["failback.html", "failback.md"]);
        } finally {
            rmSync(stick, { recursive: true });
        }
    });

    for (const [command, scenario] of [
        ["activate", "region-loss"],
        ["failback", "failback"],
    ] as const)
        it(`tells for ${scenario} the very steps that \`lifeboat ${command} --plan\` has`, async () => {
            const [planned, told] = await Promise.all([lifeboat([command, "--plan", "--json"]), lifeboat(["runbook", scenario])]);
            const { plan } = JSON.parse(planned.stdout) as { plan: Record<"undoable" | "forward", { name: string; by: string }[]> };
            const steps = [...plan.undoable, ...plan.forward].map(({ name, by }, index) => `${index + 1}. ${name} (${by})`);
            assert.deepEqual(
                [...told.stdout.matchAll(/^### (.+)$/gm)].map(([, step]) => step),
                steps,
            );
        });
});
