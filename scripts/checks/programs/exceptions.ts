/** A place that starts what no reader of the text alone can tell, why, and all that it may start. */
export interface Exception {
    readonly file: string;
    /** As the scan says it. */
    readonly what: string;
    readonly why: string;
    readonly programs: readonly string[];
}

const entrypoint = "an image's entry point ends as the command that its pod declares: pods' commands are scanned where they are declared";
const itself = "starts itself again as another user";

export const exceptions: readonly Exception[] = [
    { file: "lifeboat", what: '"$2"', why: "a function of the launcher, run under a lock", programs: [] },
    { file: "lifeboat", what: '"$node"', why: "the Node that it found or fetched", programs: ["node"] },
    { file: "sandbox/namespace.sh", what: '"$node"', why: "the Node that runs us, its second argument", programs: ["node"] },
    { file: "recovery/leash.ts", what: "process.argv", why: "starts what its caller names", programs: ["pulumi", "sh"] },
    { file: "recovery/bundle/get.sh", what: "${hole}", why: "sets variables that the AWS CLI prints", programs: [] },
    {
        file: "recovery/bundle/get-script.ts",
        what: 'readFileSync(new URL("./get.sh", import.meta.url), "utf8") .',
        why: "get.sh, which is scanned",
        programs: [],
    },
    { file: "recovery/bundle/verify.ts", what: "…/pulumi-resource-…", why: "a plugin that the bundle brings", programs: [] },
    {
        file: "stores/postgres/physical/programs.ts",
        what: "[...onPath, ...debianDirectories()].map((directory) => join(",
        why: "PostgreSQL's own programs, by name, wherever they lie: `programs` of stores/postgres/physical.ts",
        programs: [
            ...["pg_basebackup", "pg_verifybackup", "pg_waldump", "pg_controldata", "postgres", "pg_ctl", "initdb", "pg_dump"],
            ...["pg_dumpall", "pg_receivewal", "tar", "cp"],
        ],
    },
    { file: "sandbox/node/images/mariadb.sh", what: '"$@"', why: entrypoint, programs: ["mariadbd"] },
    { file: "sandbox/node/images/mariadb.sh", what: '"$BASH_SOURCE"', why: itself, programs: [] },
    { file: "sandbox/node/images/mariadb.sh", what: '"${client[@]}"', why: "an array of words", programs: ["mariadb"] },
    { file: "sandbox/node/images/mariadb.sh", what: '"$file"', why: "a script that a pod mounts", programs: [] },
    { file: "sandbox/node/images/postgres.sh", what: '"$@"', why: entrypoint, programs: ["postgres"] },
    { file: "sandbox/node/images/postgres.sh", what: '"$BASH_SOURCE"', why: itself, programs: [] },
    { file: "sandbox/node/images/postgres.sh", what: '"$file"', why: "a script that a pod mounts", programs: [] },
    {
        file: "sandbox/node/keeper.ts",
        what: "hook.exec.command",
        why: "a hook that a pod declares: scanned where it is declared",
        programs: [],
    },
    {
        file: "sandbox/node/probes.ts",
        what: "probe.exec.command",
        why: "a probe that a pod declares: scanned where it is declared",
        programs: [],
    },
    { file: "sandbox/node/streams.ts", what: "line", why: "what a client of `exec` asks for: in tests, callers of `inside`", programs: [] },
    { file: "scripts/commands/sandbox.ts", what: "command", why: "`sandbox exec -- COMMAND`: what a person types", programs: [] },
    {
        file: "test/recovery/bundle/signature.test.ts",
        what: "curl.replace(/https:\\/\\/bucket\\.s3\\.[^/]+/, endpoint())",
        why: "the line of the runbook that fetches get.sh",
        programs: ["curl", "sh"],
    },
    { file: "test/recovery/runbook/shelf.test.ts", what: '"$NODE"', why: "the Node that runs us", programs: ["node"] },
    {
        file: "test/rehearsal/empty-machine.sh",
        what: '"$@"',
        why: "what its caller runs in the empty root: from-bundle.test.ts",
        programs: ["sh"],
    },
    {
        file: "test/setup/bare-root.sh",
        what: '"$@"',
        why: "what its caller runs in the bare root: bare-root.test.ts",
        programs: ["env", "node"],
    },
    { file: "test/setup/fixture.ts", what: "…/…", why: "a tool of the test's own, by its name", programs: [] },
    { file: "test/workflows/workflows.test.ts", what: "run", why: "bash -n reads it, and starts nothing", programs: [] },
];

/** Programs that a test writes itself, or that are not to be there; and those that an image of ours makes. */
export const stagedPrograms: Readonly<Record<string, readonly string[]>> = {
    "sandbox/node/images.ts": ["docker-entrypoint.sh"],
    "test/backup/pipeline.test.ts": ["no-such-program"],
    "test/scripts/bad-input.test.ts": ["full"],
    "test/setup/fixture.ts": ["first", "second", "later", "tool"],
    "test/setup/launcher.test.ts": ["absolute", "relative"],
};
