import { join } from "node:path";
import { toolDirectory, versions } from "../../sandbox/tools.ts";
import { goBuild, goKey, requireGo, type GoBuild } from "./go.ts";
import type { Piece } from "./piece.ts";
import { ask } from "./run.ts";

const source: GoBuild = { module: "etcd", packages: ["go.etcd.io/etcd/server/v3"], program: "etcd" };

/** etcd, built from its module: the store of each site's control plane. 36 s. */
export const etcd: Piece = {
    name: "etcd",
    directory: toolDirectory("etcd"),
    key: goKey(versions.etcd, source),
    files: ["bin/etcd"],
    requires: requireGo,
    build: (directory, log) => goBuild(source, directory, log),
    probe: async (directory) => {
        const said = await ask([join(directory, "bin/etcd"), "--version"]);
        if (!said.includes(`etcd Version: ${versions.etcd}\n`)) throw new Error(`not etcd ${versions.etcd}`);
    },
};
