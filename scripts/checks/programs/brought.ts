import { execFileSync } from "node:child_process";
import { basename } from "node:path";
import { browserPackage, prerequisites, programs } from "../../setup/packages.ts";
import { onDemand, pieces } from "../../setup/setup.ts";
import { filesOf, isShell } from "./source.ts";

/** What every Debian has, however small: packages that are essential, or of priority "required" (https://www.debian.org/doc/debian-policy/ch-archive.html#priorities). */
function ofDebian(): string[] {
    const ask = (...argv: string[]) =>
        execFileSync("dpkg-query", argv, { encoding: "utf8", maxBuffer: 2 ** 26 })
            .trim()
            .split("\n");
    const packages = ask("--show", "--showformat", "${Essential} ${Priority} ${Package}\n")
        .map((line) => line.split(" "))
        .filter(([essential, priority]) => essential === "yes" || priority === "required")
        .map(([, , name]) => name!);
    const files = ask("--listfiles", ...packages).filter((path) => /^(\/usr)?\/s?bin\/[^/]+$/.test(path));
    // base-files depends on an awk before anything else; which one, alternatives say.
    return [...files.map((path) => basename(path)), "awk", "dpkg-query"];
}

/** Names of what set-up builds, and of the tree's own scripts: what no package brings. */
export function ofOurs(root: string): string[] {
    const built = [...pieces, ...onDemand].flatMap(({ files }) => files.filter((file) => file.startsWith("bin/")));
    const scripts = filesOf(root).filter(isShell);
    // moto's environment has a Python of its own name; the machine's is a person's to bring.
    return [...built, ...scripts].map((path) => basename(path)).filter((name) => !prerequisites.includes(name));
}

/** Names of the programs that are there after set-up, whatever else a machine has. @param root whose own scripts count */
export function brought(root: string): Set<string> {
    const packaged = Object.keys(programs).map((program) => basename(program));
    return new Set([...packaged, ...prerequisites, browserPackage, ...ofOurs(root), ...ofDebian()]);
}
