import { createRequire } from "node:module";

/**
 * Imported first. What Pulumi's SDK does for those who debug the SDK costs a third of a preview: for each resource it sends the engine several messages that only
 * `pulumi --debug` shows, each after the one before was answered, and it writes down a stack trace for each promise. And the runner has source-map-support rewrite every trace; Node
 * strips types in place, so lines and columns are right as they are. LIFEBOAT_SDK_DEBUG=1 leaves all of it as it was.
 */
if (process.env["LIFEBOAT_SDK_DEBUG"] !== "1") {
    Reflect.deleteProperty(Error, "prepareStackTrace");

    const load = createRequire(import.meta.url);
    const log = load("@pulumi/pulumi/log") as { debug: (message: string) => Promise<void> };
    log.debug = () => Promise.resolve();

    type Watch = (promise: Promise<unknown>, context: string) => Promise<unknown>;
    const debuggable = load("@pulumi/pulumi/runtime/debuggable") as { debuggablePromise: Watch };
    const { debuggablePromise } = debuggable;
    debuggable.debuggablePromise = (promise, context) => {
        const { stackTraceLimit } = Error;
        Error.stackTraceLimit = 0;
        try {
            return debuggablePromise(promise, context);
        } finally {
            Error.stackTraceLimit = stackTraceLimit;
        }
    };
}
