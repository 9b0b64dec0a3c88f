import type { Seconds } from "../../model/units.ts";

/** A signal that is aborted when the time is over, or `signal` is; disposed when nobody needs it any more. It keeps the process alive until then. */
export function timeBox(span: Seconds, signal: AbortSignal): Disposable & { over: AbortSignal } {
    const controller = new AbortController();
    const end = () => controller.abort();
    const timer = setTimeout(end, span * 1000);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    return {
        over: controller.signal,
        [Symbol.dispose]: () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", end);
        },
    };
}
