import assert from "node:assert/strict";
import type { Estate } from "../../model/estate.ts";
import { defineEstate } from "../../stores/estate.ts";
import { estimateOf, forwardOnly, stepsOf, type Plan, type Step } from "../../model/plan.ts";
import { plans } from "../../model/plans.ts";
import { runbookText, scenarios, type RunbookScenario } from "../../model/runbook.ts";
import { standbyRebuild } from "../../model/standby-rebuild.ts";
import { formatDuration } from "../../model/units.ts";
import { declaration } from "./declaration.ts";

const estate = defineEstate(declaration((each) => (each.contacts = [{ name: "Anna", role: "decides", reach: "+1 202 555 0101" }])));
const parts = ["In short", "Detection", "First actions", "What your machine needs", "What you need to decide", "The steps"];
const later = ["If something goes wrong", "Verification", "Escalation", "Messages to send", "After the incident"];
const last = ["Where the figures come from", "Where this page lies"];

interface Expected {
    /** What is executed: the plan of `activate` or `failback`, or the commands that the rehearsal of the standby's loss runs. */
    steps: (estate: Estate) => { undoable: readonly Step<string>[]; forward: readonly Step<string>[] };
    /** What of another estate, with a standby in eu-north-1, an RTO of 25 min and 7 min to decide, is told. */
    follows: readonly string[];
    /** Chapters that this scenario alone needs. */
    own: readonly string[];
    /** What a reader must not miss. */
    warns: readonly RegExp[];
}
const ofPlan =
    (plan: (estate: Estate) => Plan): Expected["steps"] =>
    (each) =>
        plan(each);
const expected: Record<RunbookScenario, Expected> = {
    "region-loss": {
        steps: ofPlan(plans["region-loss"]),
        follows: ["eu-north-1", "25 min", "**7 min**"],
        own: [],
        warns: [/Leave the old primary closed/, /Only if you \*\*know\*\* that the primary is dead/],
    },
    partition: {
        steps: ofPlan(plans["region-loss"]),
        follows: ["eu-north-1", "25 min", "**7 min**"],
        own: ["Why the fence is waited out", "When the cut heals"],
        warns: [/\*\*Let it wait\.\*\* Never `--without-witness`/, /then waits \*\*16 s\*\*/, /nowhere else/],
    },
    "standby-loss": {
        steps: (each) => ({ undoable: standbyRebuild(each), forward: [] }),
        follows: ["eu-north-1"],
        own: ["What goes on, and what does not", "A volume that did not come back", "Loss of the witness alone"],
        warns: [/\*\*Do not activate\.\*\*/, /\*\*No\*\* `lifeboat bootstrap`/],
    },
    failback: {
        steps: ofPlan(plans.failback),
        follows: ["eu-north-1"],
        own: [],
        warns: [/None is writable/, /Nobody wipes, restores or opens them/],
    },
};

for (const scenario of scenarios)
    describe(`the runbook for ${scenario}`, () => {
        const { steps, follows, own, warns } = expected[scenario];
        const { undoable, forward } = steps(estate);
        const all = [...undoable, ...forward];
        const { text } = runbookText(scenario, { estate });
        const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading ?? "");

        it("has each step of what is executed, in its order, with what it does, its estimate, its limit, a command and its undo", () => {
            const told = text.split(/^### /m).slice(1);
            assert.equal(told.length, all.length);
            all.forEach((step, index) => {
                const block = told[index] ?? "";
                assert.ok(block.startsWith(`${index + 1}. ${step.name} (${step.by})\n`), block);
                assert.ok(block.includes(step.does.slice(1)), block);
                assert.ok(
                    block.includes(`**Expected:** ${formatDuration(estimateOf(step))}. **Given up after:** ${formatDuration(step.limit)}.`),
                );
                assert.ok(block.includes(`**Undo:** ${step.undo === forwardOnly ? forwardOnly : step.undo.how}.`), block);
                assert.equal(block.includes("**Decided then:**"), step.decided !== undefined);
                assert.ok(block.includes(step.decided ?? ""), block);
                assert.match(block, /```sh\n.+\n```/);
            });
        });

        it(`${forward.length > 0 ? "says once where the point of no return is: before the first step that has no undo" : "has no point of no return"}`, () => {
            const [before = "", after, ...more] = text.split("**Point of no return.**");
            assert.equal(more.length, 0);
            assert.equal(after !== undefined, forward.length > 0);
            assert.equal([...before.matchAll(/^### /gm)].length, undoable.length);
            assert.doesNotMatch(after?.split("## If something goes wrong")[0] ?? "", /--abort/);
        });

        it("has every part that a person on call needs, in the order in which it is needed, and those of its own", () => {
            const common = [...parts, ...later, ...last];
            assert.deepEqual(
                headings.filter((heading) => common.includes(heading)),
                common,
            );
            assert.deepEqual(
                headings.filter((heading) => !common.includes(heading)),
                own,
            );
        });

        it("warns of what must not be missed", () => {
            for (const warning of warns) assert.match(text, warning);
        });

        it("follows the estate: another region, promise or contact is another text", () => {
            const other = defineEstate(
                declaration((each) => {
                    each.sites.standby.region = "eu-north-1";
                    each.services["till"]!.objective.rto = "25 min";
                    each.decision = "7 min";
                }),
            );
            const { text: changed } = runbookText(scenario, { estate: other });
            for (const part of [...follows, "No contacts are declared"]) {
                assert.ok(changed.includes(part), part);
                assert.ok(!text.includes(part), part);
            }
            assert.match(text, /^\| 1 \| Anna \| decides \| \+1 202 555 0101 \|$/m);
        });

        it("shows what somebody wrote into the estate as it is, on one line", () => {
            const name = "A|B <script>alert(1)</script>\n## [x](y) `z`";
            const hostile = defineEstate(declaration((each) => (each.contacts = [{ name, role: "r", reach: "t" }])));
            const row = runbookText(scenario, { estate: hostile })
                .text.split("\n")
                .find((line) => line.startsWith("| 1 | A"));
            assert.equal(row, String.raw`| 1 | A\|B \<script\>alert(1)\</script\> \#\# \[x\](y) \`z\` | r | t |`);
        });
    });

describe("the runbooks", () => {
    const witnessed = defineEstate(declaration((each) => (each.sites.witness = { region: "eu-west-3" })));
    const text = (scenario: RunbookScenario, of: Estate) => runbookText(scenario, { estate: of }).text;
    const steps = (scenario: RunbookScenario) => /^## The steps$[\s\S]*?(?=^## )/m.exec(text(scenario, estate))?.[0] ?? "";

    it("tell a cut that is lived through and a region that is lost the same steps, word for word", () => {
        assert.ok(steps("partition").length > 1000);
        assert.equal(steps("partition"), steps("region-loss"));
    });

    it("say that the standby's loss stops nobody where there is a witness, and stops the primary's writers where there is none", () => {
        assert.match(text("standby-loss", witnessed), /\*\*Nobody is stopped\*\*/);
        assert.match(text("standby-loss", estate), /its databases \*\*close\*\* 15 s later/);
        assert.doesNotMatch(text("standby-loss", estate), /Nobody is stopped|There is time/);
    });

    it("name the witness's own region where one is declared", () => {
        assert.match(text("partition", witnessed), /the witness's copy of it \(eu-west-3\)/);
        assert.match(text("partition", witnessed), /aws s3 ls --region eu-west-3 s3:\/\/shop-lifeboat-witness-ACCOUNT-eu-west-3\/lease\//);
    });

    it("have people type what the rehearsal of the standby's loss runs", () => {
        const [block = ""] = [steps("standby-loss")];
        for (const { command } of standbyRebuild(estate))
            assert.ok(block.includes(`\`\`\`sh\n${command.join(" ")}\n\`\`\``), command.join(" "));
    });

    it("say of the way back what is only decided when it runs", () => {
        const decided = stepsOf(plans.failback(estate)).filter((step) => step.decided !== undefined);
        for (const kind of ["aside", "rejoin", "fence"])
            assert.ok(
                decided.some(({ name }) => name.startsWith(kind)),
                kind,
            );
    });
});
