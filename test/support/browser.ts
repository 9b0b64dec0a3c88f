/** A real Chromium without a window, driven over its DevTools protocol: https://chromedevtools.github.io/devtools-protocol/ */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import WebSocket from "ws";
import { z } from "zod";

const message = z.looseObject({
    id: z.int().optional(),
    result: z.unknown().optional(),
    error: z.looseObject({ message: z.string() }).optional(),
    method: z.string().optional(),
});
const evaluated = z.object({
    result: z.looseObject({ value: z.unknown().optional() }),
    exceptionDetails: z.looseObject({ text: z.string() }).optional(),
});

/** How a page is looked at. */
export interface View {
    /** Of the window, in CSS pixels. */
    width: number;
    dark?: boolean;
    print?: boolean;
}

export interface Browser {
    /** Opens a page and waits for it to be loaded. @returns every address that it asked for */
    open(url: string, view: View): Promise<string[]>;
    /** The value of an expression in the page. The page's own policy against scripts does not hold for it. */
    evaluate<T>(expression: string, shape: z.ZodType<T>): Promise<T>;
    /** PNG of the whole page, however long. */
    screenshot(): Promise<Buffer>;
    /** PDF, as printed on A4. */
    pdf(): Promise<Buffer>;
    close(): Promise<void>;
}

/** @param program Chromium's path */
export async function startBrowser(program: string): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), "lifeboat-test-browser-"));
    const flags = [
        "--headless",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-sync",
    ];
    // Its own sandbox does not start as root; the pages are ours.
    const argv = [
        ...flags,
        "--no-sandbox",
        "--disable-dev-shm-usage",
        `--user-data-dir=${profile}`,
        "--remote-debugging-port=0",
        "about:blank",
    ];
    const child = spawn("setpriv", ["--pdeathsig=KILL", "--", program, ...argv], { stdio: ["ignore", "ignore", "pipe"] });
    const address = await new Promise<string>((resolve, reject) => {
        const said: string[] = [];
        child.on("error", reject).on("close", (code) => reject(new Error(`${program} ended with ${code}: ${said.slice(-5).join("; ")}`)));
        createInterface(child.stderr).on("line", (line) => {
            said.push(line);
            const found = /DevTools listening on (ws:\S+)/.exec(line);
            if (found) resolve(found[1]!);
        });
    });
    const targets = z
        .array(z.looseObject({ type: z.string(), webSocketDebuggerUrl: z.string() }))
        .parse(await (await fetch(`http://${new URL(address).host}/json/list`)).json());
    const socket = new WebSocket(targets.find(({ type }) => type === "page")!.webSocketDebuggerUrl, { maxPayload: 256 * 2 ** 20 });
    await once(socket, "open");
    const page = new Page(socket);
    await page.call("Page.enable");
    await page.call("Network.enable");
    await page.call("Page.setBypassCSP", { enabled: true });

    return {
        async open(url, { width, dark = false, print = false }) {
            await page.call("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 });
            await page.call("Emulation.setEmulatedMedia", {
                media: print ? "print" : "",
                features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
            });
            page.asked.length = 0;
            const loaded = page.event("Page.loadEventFired");
            await page.call("Page.navigate", { url });
            await loaded;
            return [...page.asked];
        },
        async evaluate(expression, shape) {
            const said = evaluated.parse(await page.call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true }));
            if (said.exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(said.exceptionDetails)}`);
            return shape.parse(said.result.value);
        },
        screenshot: async () => page.file("Page.captureScreenshot", { format: "png", captureBeyondViewport: true }),
        pdf: async () => page.file("Page.printToPDF", { printBackground: true, paperWidth: 8.27, paperHeight: 11.69 }),
        async close() {
            const ended = once(child, "close");
            await page.call("Browser.close");
            await ended;
            await rm(profile, { recursive: true, force: true });
        },
    };
}

/** The protocol: numbered calls, and events. */
class Page {
    readonly asked: string[] = [];
    readonly #socket: WebSocket;
    readonly #waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
    readonly #events = new Map<string, () => void>();
    #calls = 0;

    constructor(socket: WebSocket) {
        this.#socket = socket;
        socket.on("message", (data: Buffer) => {
            const { id, result, error, method, ...rest } = message.parse(JSON.parse(data.toString()));
            if (method === "Network.requestWillBeSent")
                this.asked.push(z.looseObject({ request: z.looseObject({ url: z.string() }) }).parse(rest["params"]).request.url);
            if (method !== undefined) this.#events.get(method)?.();
            if (id === undefined) return;
            const waiting = this.#waiting.get(id);
            this.#waiting.delete(id);
            if (error) waiting?.reject(new Error(error.message));
            else waiting?.resolve(result);
        });
        socket.on("close", () => {
            for (const { reject } of this.#waiting.values()) reject(new Error("the browser is gone"));
        });
    }
    call(method: string, params: object = {}): Promise<unknown> {
        const id = ++this.#calls;
        return new Promise((resolve, reject) => {
            this.#waiting.set(id, { resolve, reject });
            this.#socket.send(JSON.stringify({ id, method, params }));
        });
    }
    event(method: string): Promise<void> {
        return new Promise((resolve) => this.#events.set(method, resolve));
    }
    async file(method: string, params: object): Promise<Buffer> {
        const { data } = z.object({ data: z.string() }).parse(await this.call(method, params));
        return Buffer.from(data, "base64");
    }
}
