import { join } from "node:path";
import { toolDirectory, versions } from "../../sandbox/tools.ts";
import { goBuild, goKey, requireGo, type GoBuild } from "./go.ts";
import type { Piece } from "./piece.ts";
import { ask } from "./run.ts";

const source: GoBuild = { module: "versitygw", packages: ["github.com/versity/versitygw/cmd/versitygw"] };

/** VersityGW, built from its module: the S3 that backups are measured against, 170 to 240 MB/s up and about 1 GB/s down here. 74 s. No part of set-up: `bench backup` asks for it. */
export const versitygw: Piece = {
    name: "versitygw",
    directory: toolDirectory("versitygw"),
    key: goKey(versions.versitygw, source),
    files: ["bin/versitygw"],
    requires: requireGo,
    build: (directory, log) => goBuild(source, directory, log),
    probe: async (directory) => void (await ask([join(directory, "bin/versitygw"), "--version"])),
};
