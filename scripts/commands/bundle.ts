import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { bundleCommands, type BundleManifest } from "../../model/bundle.ts";
import { Failure } from "../../model/failure.ts";
import { names, stackOf } from "../../model/names.ts";
import { scenarios } from "../../model/runbook.ts";
import { bytes, formatDuration, formatSize, seconds } from "../../model/units.ts";
import { accountNumber } from "../../recovery/account.ts";
import { hasDataKey } from "../../recovery/bootstrap/stack-file.ts";
import { dependenciesLayer, engineLayer, nodeLayer, pluginLayers, programLayer } from "../../recovery/bundle/contents.ts";
import { requireIncluded } from "../../recovery/bundle/needs.ts";
import { publishBundle, readReleases } from "../../recovery/bundle/publish.ts";
import { verifyBundle } from "../../recovery/bundle/verify.ts";
import { keyVariable, signingKey } from "../../recovery/evidence/key.ts";
import { fingerprintOf } from "../../recovery/evidence/signature.ts";
import { makeRunbook } from "../../recovery/runbook/page.ts";
import { estate } from "../../stacks/estate.ts";
import { interruption } from "../interruption.ts";
import { note, print, show } from "../output.ts";
import { trustedFingerprints, trustedOption } from "../trusted.ts";

interface Options {
    verify?: boolean;
    list?: boolean;
    include: string[];
    key?: string;
    trusted?: string[];
    json?: boolean;
}

export const command = new Command("bundle")
    .description(
        "Puts all that an activation needs into the standby's release bucket: this program and the estate, its production dependencies, Node, the\n" +
            "Pulumi CLI with its language host, the provider plugins in use, and the runbooks. Run it in the checkout on every release. Parts that\n" +
            "lie there already are not put again; the record that names the present bundle is written last; the 5 newest are kept.\n" +
            "--verify gets it back as an empty machine would (no Node, npm, git or Pulumi on PATH, an empty HOME), checks every hash and who signed it,\n" +
            `and then starts it. Trusted is the key that would sign here (${keyVariable}, else the machine's own), unless --trusted names others.\n` +
            "Ends with 1 where the bundle is damaged, cut off, swapped, signed by nobody who is trusted, or does not start, with 3 where there is none.",
    )
    .addOption(new Option("--verify", "check the present bundle instead of putting one").conflicts(["list", "include"]))
    .addOption(new Option("--list", "list the bundles that are kept, the present one first").conflicts("include"))
    .option("--include <path...>", "further files or directories of the checkout that your stacks or plugins need", [])
    .addOption(new Option("--key <file>", "sign it with this Ed25519 key (PEM)").conflicts(["verify", "list"]))
    .addOption(trustedOption().conflicts(["list", "include"]))
    .option("--json", "print what was put, proved or found as JSON")
    .action(async (options: Options) => {
        const account = await accountNumber(estate.sites.standby.region);
        if (options.verify === true) return verify(account, options);
        if (options.list === true) return list(account, options);
        await put(account, options);
    });

async function put(account: string, { include, key, json }: Options): Promise<void> {
    const checkout = process.cwd();
    if (!hasDataKey(checkout, stackOf.standby))
        throw new Failure(
            "prerequisite",
            `Pulumi.${stackOf.standby}.yaml has no data key: an activation from this bundle could not open the stack`,
            "run `lifeboat bootstrap` here, and commit what it writes into the file",
        );
    const signer = signingKey(key);
    const runbooks = scenarios.map((scenario) => makeRunbook(estate, scenario, account));
    const plugins = pluginLayers(checkout);
    const programs = [engineLayer(), ...plugins.map(({ layer }) => layer)];
    requireIncluded(programs, include);
    const published = await publishBundle({
        estate,
        account,
        about: { ...versions(checkout), plugins: plugins.map(({ name, version }) => ({ name, version })), includes: include },
        // What changes with every release comes first: it is small, and what is wrong with it is told early.
        layers: [programLayer(checkout, include, runbooks), dependenciesLayer(checkout), nodeLayer(), ...programs],
        key: signer,
        now: new Date(),
        note,
        signal: interruption,
    });
    if (json === true) return print(published);
    const { bundle, manifest, uploaded } = published;
    const size = manifest.layers.reduce((sum, layer) => sum + layer.bytes, 0);
    const { cli } = bundleCommands(names(estate, account).releaseBucket, estate.sites.standby.region);
    show(
        `bundle ${bundle}\nrelease ${manifest.release}, ${formatSize(bytes(size))}, of which ${formatSize(bytes(uploaded))} were put; signed by ${fingerprintOf(signer)}`,
    );
    note(`\nOn any empty machine (${manifest.platform}) with AWS credentials:\n    ${cli}\nnext: lifeboat bundle --verify`);
}

function versions(checkout: string): Pick<BundleManifest, "release" | "node" | "pulumi"> {
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as { version: string };
    const ask = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: checkout, encoding: "utf8" }).trim();
    // It may be somebody else's: root runs this in a person's clone.
    const git = ["-c", `safe.directory=${checkout}`, "describe", "--always", "--dirty"];
    const commit = existsSync(join(checkout, ".git")) ? ` ${ask("git", ...git)}` : "";
    return { release: `${version}${commit}`, node: process.version, pulumi: ask("pulumi", "version") };
}

async function verify(account: string, { trusted, json }: Options): Promise<void> {
    const verified = await verifyBundle({
        estate,
        account,
        trusted: trustedFingerprints(trusted),
        signal: interruption,
        note: ({ what, said, seconds: span }) => note(`${formatDuration(span).padStart(8)}  ${what}${said === "" ? "" : `: ${said}`}`),
    });
    if (json === true) return print(verified);
    const { bundle, manifest, bytes: size, seconds: span } = verified;
    show(
        `bundle ${bundle}\nrelease ${manifest.release}: ${formatSize(bytes(size))} fetched, every hash right, started in ${formatDuration(seconds(span))}`,
    );
}

async function list(account: string, { json }: Options): Promise<void> {
    const bundles = (await readReleases(estate, account))?.record.bundles ?? [];
    if (json === true) return print({ bundles });
    show(bundles.map(({ bundle, release, at, by }) => `${bundle}  ${at}  ${release}  by ${by}`).join("\n") || "no bundle was released yet");
}
