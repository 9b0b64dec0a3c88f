/**
 * Every subcommand: its line in `lifeboat --help`. A command's own module, `scripts/commands/NAME.ts`, exports `command` and is imported only
 * when it is asked for: the AWS and Kubernetes clients take longer to load than the help takes to read.
 */
export const commands = {
    rehearse: "lose a region in the sandbox, activate the standby, and measure it beside the objectives",
    evidence: "list what rehearsals measured, and check who signed it",
    history: "draw how RTO, RPO and the rates of backup and restore moved over the rehearsals",
    bench: "measure a preview's start and an activation, as ratios beside their goals",
    bootstrap: "make what the stacks stand on: state bucket, keys, coordination bucket, break-glass role, first epoch",
    status: "who is active, how far each replica and backup is behind, and could we fail over now",
    activate: "make the standby the active site, step by step, journaled; resumable from any machine",
    failback: "go back to the primary: rebuild it as a replica, hand over without losing a write, protect it again",
    journal: "print what an activation did and when, as text for an incident",
    runbook: "what to do at 03:00, written from the plan: on paper, in the standby, on a stick",
    bundle: "put the release into the standby, to be run from an empty machine; check that it can be",
    epoch: "show or change who is active",
    latch: "show, throw or publish the latch that lets the standby answer for users",
    backup: "make one recovery point of a store, streamed to its vault",
    verify: "read the copies in the standby back, check them, and enter them in the catalog",
    backups: "list the recovery points of the catalog",
    tables: "count and sum up every table of a store, to compare two servers",
    find: "search a store's shipped log for what was done, and say how to go back to before it",
    restore: "restore a recovery point into a new server, and check it",
    aside: "save, or show, what a server holds that the other site's does not",
    expire: "tag what retention no longer needs",
    guard: "run beside a database: hold it writable or read-only as the epoch says",
    archive: "run beside a database: ship its log, and take and serve copies of it",
    seed: "run before a database: copy it from its peer when it is to be a replica",
    chaos: "break one thing on purpose, time-boxed, and time the recovery",
    "promotion-diff": "show what a promotion would change in the standby's stack; refuse anything off the allow-list",
    sandbox: "the cloud on this machine: up, down, status, shell, exec",
    setup: "install and build what this machine lacks",
    check: "the quick checks: types, lint and the rooms' arrows, formatting",
    test: "set-up, the quick checks, and every test",
} as const;
export type CommandName = keyof typeof commands;
