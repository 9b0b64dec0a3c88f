import type { Estate } from "../model/estate.ts";

/** What a sandbox was asked to be: `sandbox.json` in its directory. */
export interface SandboxDeclaration {
    readonly name: string;
    /** The repository that its own programs run from. */
    readonly source: string;
    readonly estate: Estate;
    readonly fast: number;
    /** Whether each site has a Kubernetes cluster. */
    readonly clusters: boolean;
    /** Whether it ends when whoever started it is gone (its standard input is closed). */
    readonly tied: boolean;
}
