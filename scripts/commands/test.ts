import { Command } from "commander";
import { Failure } from "../../model/failure.ts";
import { cacheDirectory } from "../../sandbox/tools.ts";
import { runChecks } from "../checks/checks.ts";
import { note, paint, print } from "../output.ts";
import { browserPackage, ensurePackages } from "../setup/packages.ts";
import { which } from "../setup/run.ts";
import { ensureSetup } from "../setup/setup.ts";
import { runTests, testFiles } from "../testing/run.ts";

interface Options {
    long?: boolean;
    json?: boolean;
}

/** Pages are looked at in a real browser where there is one, or one can be had. */
async function ensureBrowser(): Promise<void> {
    if (which(browserPackage)) return;
    try {
        await ensurePackages([browserPackage], cacheDirectory(), note);
    } catch (error) {
        if (!(error instanceof Failure)) throw error;
        note(`NOT RUN without ${browserPackage}: the tests that look at pages in a browser: ${error.message}; ${error.next}`);
    }
}

export const command = new Command("test")
    .description(
        "Set this machine up, run the quick checks, then every test with its coverage. The last line says `N passed, N failed, N skipped`.\n" +
            "A test that is skipped fails the run, unless test/skipped.json names it and gives the reason.",
    )
    .argument("[files...]", "run these test files only, without the quick checks")
    .option("--long", "repeat what is drawn at random many more times (LIFEBOAT_LONG=1)")
    .option("--json", "print the result as a JSON document on stdout; mocha's report goes to stderr")
    .action(async (asked: string[], { long = false, json = false }: Options) => {
        const files = testFiles(asked);
        await ensureSetup(note);
        await ensureBrowser();
        let checked = true;
        if (asked.length === 0)
            await runChecks(({ name, ok, seconds, output }) => {
                note(`${ok ? "pass" : paint("red", "FAIL", process.stderr)} ${name} (${seconds} s)`);
                if (!ok) note(output);
                checked &&= ok;
            });
        const { passed, failed, skipped, problems, coverage } = await runTests(files, { long, output: json ? 2 : 1 });
        for (const problem of problems) note(`${paint("red", "FAIL", process.stderr)} ${problem}`);
        if (!checked) note(`${paint("red", "FAIL", process.stderr)} a quick check failed (above)`);
        const ok = checked && failed === 0 && problems.length === 0;
        process.exitCode = ok ? 0 : 1;
        if (json) return print({ ok, checked, passed, failed, skipped, problems, coverage });
        const rooms = Object.entries(coverage).map(([room, percent]) => `${room} ${percent} %`);
        if (rooms.length > 0) process.stdout.write(`coverage of statements: ${rooms.join(", ")}\n`);
        process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
    });
