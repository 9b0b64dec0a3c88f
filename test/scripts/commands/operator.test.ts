import assert from "node:assert/strict";
import { lifeboat } from "../../support/cli.ts";

/** A machine that has nothing: no credentials, no cluster, and no way to ask for either. */
const env = {
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
    AWS_PROFILE: "",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    KUBECONFIG: "/dev/null",
    LIFEBOAT_ACCOUNT: "",
};

describe("an operator's wrong command", function () {
    this.timeout(30_000);
    const wrong: [string[], number, RegExp][] = [
        [["activate"], 2, /nobody is there to confirm the activation\n {2}next: add --yes, and --reason/],
        [["activate", "--resume", "--abort"], 2, /'--resume' cannot be used with option '--abort'/],
        [["activate", "--plan", "--yes"], 2, /'--plan' cannot be used with option '--yes'/],
        [["activate", "standby"], 2, /too many arguments/],
        [["activate", "--yes"], 3, /log in to the account again/],
        [["activate", "--abort"], 3, /log in to the account again/],
        [["status"], 3, /log in to the account again/],
        [["journal"], 3, /log in to the account again/],
        [["journal", "yesterday"], 2, /"yesterday" is no activation's id\n {2}next: run `lifeboat journal --list`/],
    ];
    for (const [line, code, says] of wrong)
        it(`lifeboat ${line.join(" ")}: ends with ${code} and says what to do`, async () => {
            const ended = await lifeboat(line, { env });
            assert.equal(ended.code, code, ended.stderr);
            assert.match(ended.stderr, says);
            assert.equal(ended.stdout, "");
        });
});
