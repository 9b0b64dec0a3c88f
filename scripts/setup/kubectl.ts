import { join } from "node:path";
import { toolDirectory, versions } from "../../sandbox/tools.ts";
import { goBuild, goKey, requireGo, type GoBuild } from "./go.ts";
import type { Piece } from "./piece.ts";
import { ask } from "./run.ts";

const source: GoBuild = {
    module: "kubectl",
    packages: ["k8s.io/kubernetes/cmd/kubectl"],
    variables: [`k8s.io/component-base/version.gitVersion=v${versions.kubectl}`],
};

/** Kubernetes' client, built from the module of the control plane's version: what people type in a sandbox's shell, and tests. 20 s where the control plane was built before. */
export const kubectl: Piece = {
    name: "kubectl",
    directory: toolDirectory("kubectl"),
    key: goKey(versions.kubectl, source),
    files: ["bin/kubectl"],
    requires: requireGo,
    build: (directory, log) => goBuild(source, directory, log),
    probe: async (directory) => {
        const said = await ask([join(directory, "bin/kubectl"), "version", "--client"]);
        if (!said.startsWith(`Client Version: v${versions.kubectl}\n`)) throw new Error(`not kubectl ${versions.kubectl}: ${said}`);
    },
};
