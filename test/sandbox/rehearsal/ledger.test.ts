import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acknowledgments, attempts, clockStep, LedgerWriter, parseLedger, readLedger } from "../../../sandbox/rehearsal/ledger.ts";

describe("the ledger", () => {
    let directory: string;
    before(() => (directory = mkdtempSync(join(tmpdir(), "lifeboat-ledger-"))));
    after(() => rmSync(directory, { recursive: true }));

    it("gives back what was written, with the instants", () => {
        const path = join(directory, "whole.jsonl");
        const ledger = new LedgerWriter(path);
        ledger.add({ kind: "attempt", client: 0, order: 1, customer: "c", attempt: 1, address: "10.1.129.2" });
        ledger.add({ kind: "acknowledged", client: 0, order: 1, customer: "c", attempt: 1, address: "10.1.129.2" });
        ledger.close();
        const lines = readLedger(path);
        assert.deepEqual(
            lines.map(({ kind }) => kind),
            ["attempt", "acknowledged"],
        );
        assert.ok(Math.abs(lines[0]!.at - Date.now()) < 5000);
        assert.ok(lines[1]!.mono >= lines[0]!.mono);
        assert.equal(acknowledgments(lines).get(1)?.customer, "c");
    });

    it("leaves out a last line that is still being written, and refuses any other that is broken", () => {
        const path = join(directory, "torn.jsonl");
        const ledger = new LedgerWriter(path);
        ledger.add({ kind: "given-up", client: 2, order: 3, customer: "c" });
        ledger.close();
        const text = readFileSync(path, "utf8");
        assert.equal(parseLedger(text + text.slice(0, 20)).length, 1);
        assert.throws(() => parseLedger(`${text.slice(0, 20)}\n${text}`), /line 1 of the ledger/);
    });

    it("keeps the first attempt and the first acknowledgment of an order", () => {
        const base = { client: 0, customer: "c", address: "10.2.129.2", order: 5 };
        const lines = [
            { kind: "attempt", at: 1, mono: 1, attempt: 1, ...base },
            { kind: "attempt", at: 2, mono: 2, attempt: 2, ...base },
            { kind: "acknowledged", at: 3, mono: 3, attempt: 2, ...base },
            { kind: "acknowledged", at: 4, mono: 4, attempt: 3, ...base },
        ] as const;
        assert.equal(attempts(lines).get(5)?.at, 1);
        assert.equal(acknowledgments(lines).get(5)?.at, 3);
        assert.equal(clockStep(lines), 0);
        assert.equal(clockStep([lines[0], { ...lines[3], at: 1004 }]), 1000);
    });
});
