import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startCommand } from "../support/cli.ts";

const installer = new URL("../../scripts/setup/install-packages.sh", import.meta.url).pathname;

describe("installing packages without starting their services", () => {
    let directory: string;
    let policy: string;
    beforeEach(() => {
        directory = mkdtempSync(join(tmpdir(), "lifeboat-packages-"));
        policy = join(directory, "policy-rc.d");
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));

    /** An apt-get that asks the policy, as a maintainer script does, and then does as it is told. */
    const install = (behaviour: string) => {
        const answer = `${policy}; echo "policy $?" >> ${directory}/seen; echo "$@" >> ${directory}/seen`;
        writeFileSync(join(directory, "apt-get"), `#!/bin/sh\n${answer}\n${behaviour}\n`, { mode: 0o755 });
        return startCommand(["sh", installer, policy, "mariadb-server"], { env: { PATH: `${directory}:/usr/bin:/bin` } });
    };
    const seen = () => readFileSync(join(directory, "seen"), "utf8").trim().split("\n");
    const files = () => readdirSync(directory).filter((name) => name.startsWith("policy"));

    it("forbids starts while it installs, and removes the policy afterwards", async () => {
        assert.equal((await install("exit 0").ended).code, 0);
        assert.equal(seen()[0], "policy 101");
        assert.match(seen()[1]!, /^install --yes --no-install-recommends .* mariadb-server$/);
        assert.deepEqual(files(), []);
    });

    it("puts the machine's own policy back, also when the installation fails", async () => {
        writeFileSync(policy, "#!/bin/sh\nexit 7\n", { mode: 0o755 });
        assert.notEqual((await install("exit 100").ended).code, 0);
        assert.equal(seen()[0], "policy 101");
        assert.equal(readFileSync(policy, "utf8"), "#!/bin/sh\nexit 7\n");
        assert.deepEqual(files(), ["policy-rc.d"]);
    });

    it("fetches the lists and tries again when the packages are not found", async () => {
        const once = `case "$1" in update) touch ${directory}/updated ;; *) [ -e ${directory}/updated ] || exit 100 ;; esac`;
        assert.equal((await install(once).ended).code, 0);
        assert.match(seen().join("\n"), /install .*\n.*\nupdate .*\n.*\ninstall /);
    });

    it("puts the machine's own policy back that a killed run had set aside", async () => {
        writeFileSync(policy, "#!/bin/sh\nexit 7\n", { mode: 0o755 });
        const killed = install(`echo $$ > ${directory}/pid.new; mv ${directory}/pid.new ${directory}/pid; exec sleep 60`);
        while (!existsSync(join(directory, "pid"))) await sleep(10);
        killed.child.kill("SIGKILL");
        process.kill(Number(readFileSync(join(directory, "pid"), "utf8")), "SIGKILL");
        await killed.ended;
        assert.match(readFileSync(policy, "utf8"), /exit 101/);
        assert.equal((await install("exit 0").ended).code, 0);
        assert.equal(readFileSync(policy, "utf8"), "#!/bin/sh\nexit 7\n");
        assert.deepEqual(files(), ["policy-rc.d"]);
    });
});
