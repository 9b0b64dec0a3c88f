/** Applies the step `scale` once, in a process whose environment points at a throw-away account: `node scale-once.ts DIRECTORY`. */
import { Failure } from "../../model/failure.ts";
import { pulumiIn } from "../../recovery/pulumi.ts";
import { scaleStep } from "../../recovery/steps/scale.ts";
import { estate } from "../../stacks/estate.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);
const pulumi = pulumiIn(process.argv[2] ?? "", estate, process.env["LIFEBOAT_ACCOUNT"] ?? "");
try {
    say(JSON.stringify(await scaleStep(pulumi, "dr").apply({ signal: AbortSignal.timeout(120_000), note: say })));
} catch (error) {
    if (!(error instanceof Failure)) throw error;
    say(`${error.exit}: ${error.message}`);
}
