import * as pulumi from "@pulumi/pulumi";
import { Failure } from "../model/failure.ts";

/** A failure as the engine shows it: what happened and the next step, without a stack trace. */
export const forTheEngine = (error: unknown): Error =>
    error instanceof Failure ? new pulumi.RunError(`${error.message}\n${error.next}`) : (error as Error);
