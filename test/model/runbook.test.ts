import assert from "node:assert/strict";
import { defineEstate } from "../../model/estate.ts";
import { plans, scenarios } from "../../model/plans.ts";
import { estimateOf, forwardOnly, stepsOf } from "../../model/plan.ts";
import { runbookText } from "../../model/runbook.ts";
import { formatDuration } from "../../model/units.ts";
import { declaration } from "./declaration.ts";

const estate = defineEstate(declaration((each) => (each.contacts = [{ name: "Anna", role: "decides", reach: "+1 202 555 0101" }])));
const parts = ["In short", "Detection", "First actions", "What you need to decide", "The steps", "If something goes wrong", "Verification"];
const later = ["Escalation", "Messages to send", "After the incident", "Where the figures come from", "Where this page lies"];

for (const scenario of scenarios)
    describe(`the runbook for ${scenario}`, () => {
        const plan = plans[scenario](estate);
        const text = runbookText({ estate, plan });

        it("has each step of the plan, in its order, with what it does, its estimate, its limit, a command and its undo", () => {
            const told = text.split(/^### /m).slice(1);
            assert.equal(told.length, stepsOf(plan).length);
            stepsOf(plan).forEach((step, index) => {
                const block = told[index] ?? "";
                assert.ok(block.startsWith(`${index + 1}. ${step.name} (${step.by})\n`), block);
                assert.ok(block.includes(step.does.slice(1)), block);
                assert.ok(
                    block.includes(`**Expected:** ${formatDuration(estimateOf(step))}. **Given up after:** ${formatDuration(step.limit)}.`),
                );
                assert.ok(block.includes(`**Undo:** ${step.undo === forwardOnly ? forwardOnly : step.undo.how}.`), block);
                assert.match(block, /```sh\n.+\n```/);
            });
        });

        it("says once where the point of no return is: before the first step that has no undo", () => {
            const [before = "", after = "", ...more] = text.split("**Point of no return.**");
            assert.equal(more.length, 0);
            assert.equal([...before.matchAll(/^### /gm)].length, plan.undoable.length);
            assert.doesNotMatch(after.split("## If something goes wrong")[0] ?? "", /--abort/);
        });

        it("has every part that a person on call needs, in the order in which it is needed", () => {
            const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
            assert.deepEqual(
                headings.filter((heading) => [...parts, ...later].includes(heading ?? "")),
                [...parts, ...later],
            );
        });

        it("follows the estate: another region, promise or contact is another text", () => {
            const other = defineEstate(
                declaration((each) => {
                    each.sites.standby.region = "eu-north-1";
                    each.services["till"]!.objective.rto = "25 min";
                    each.decision = "7 min";
                }),
            );
            const changed = runbookText({ estate: other, plan: plans[scenario](other) });
            for (const part of ["eu-north-1", "25 min", "**7 min**", "No contacts are declared"]) {
                assert.ok(changed.includes(part), part);
                assert.ok(!text.includes(part), part);
            }
            assert.match(text, /^\| 1 \| Anna \| decides \| \+1 202 555 0101 \|$/m);
        });

        it("shows what somebody wrote into the estate as it is, on one line", () => {
            const name = "A|B <script>alert(1)</script>\n## [x](y) `z`";
            const hostile = defineEstate(declaration((each) => (each.contacts = [{ name, role: "r", reach: "t" }])));
            const row = runbookText({ estate: hostile, plan: plans[scenario](hostile) })
                .split("\n")
                .find((line) => line.startsWith("| 1 | A"));
            assert.equal(row, String.raw`| 1 | A\|B \<script\>alert(1)\</script\> \#\# \[x\](y) \`z\` | r | t |`);
        });
    });
