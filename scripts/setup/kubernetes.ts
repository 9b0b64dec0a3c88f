import { join } from "node:path";
import { toolDirectory, versions } from "../../sandbox/tools.ts";
import { goBuild, goKey, requireGo, type GoBuild } from "./go.ts";
import type { Piece } from "./piece.ts";
import { ask } from "./run.ts";

const [major, minor] = versions.kubernetes.split(".");
const version = "k8s.io/component-base/version";
const programs = ["kube-apiserver", "kube-controller-manager"];

const source: GoBuild = {
    module: "kubernetes",
    packages: programs.map((program) => `k8s.io/kubernetes/cmd/${program}`),
    // Clients read the server's version, and a program built without it says v0.0.0.
    variables: [`${version}.gitVersion=v${versions.kubernetes}`, `${version}.gitMajor=${major}`, `${version}.gitMinor=${minor}`],
};

/** The API server and the controller manager, built from Kubernetes' own module. 3.5 min. */
export const kubernetes: Piece = {
    name: "kubernetes",
    directory: toolDirectory("kubernetes"),
    key: goKey(versions.kubernetes, source),
    files: programs.map((program) => `bin/${program}`),
    requires: requireGo,
    build: (directory, log) => goBuild(source, directory, log),
    probe: async (directory) => {
        for (const program of programs) {
            const said = await ask([join(directory, "bin", program), "--version"]);
            if (said !== `Kubernetes v${versions.kubernetes}`) throw new Error(`${program} is not v${versions.kubernetes}: ${said}`);
        }
    },
};
