import { createRequire } from "node:module";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";

/**
 * `google.protobuf.Empty` of the very google-protobuf that Pulumi's stubs were generated for: they check `instanceof`, and @pulumi/pulumi
 * brings a copy of its own, so an Empty from our copy would be refused.
 */
export function loadPulumiEmpty(): typeof Empty {
    const ours = createRequire(import.meta.url);
    const theirs = createRequire(ours.resolve("@pulumi/pulumi/package.json"));
    return (theirs("google-protobuf/google/protobuf/empty_pb.js") as { Empty: typeof Empty }).Empty;
}
