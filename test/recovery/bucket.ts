import type { CoordinationBucket } from "../../recovery/conditional-bucket.ts";

/**
 * A coordination bucket in this process, for what is tested thousands of times over: the conditions are S3's, and each call takes a turn of
 * the event loop, so that calls interleave. The journal and the races run against a real S3 API elsewhere in this folder.
 */
export function bucketInMemory(objects = new Map<string, string>()): CoordinationBucket & { objects: Map<string, string> } {
    let version = 0;
    const etags = new Map<string, string>();
    const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
    const put = (key: string, text: string) => {
        objects.set(key, text);
        etags.set(key, `"${++version}"`);
        return true;
    };
    for (const [key, text] of objects) put(key, text);
    return {
        objects,
        async get(key) {
            await turn();
            const text = objects.get(key);
            return text === undefined ? undefined : { text, etag: etags.get(key) ?? "" };
        },
        async create(key, text) {
            await turn();
            return objects.has(key) ? objects.get(key) === text : put(key, text);
        },
        async replace(key, text, etag) {
            await turn();
            return etags.get(key) === etag ? put(key, text) : objects.get(key) === text;
        },
        async put(key, text) {
            await turn();
            put(key, text);
        },
        async list(prefix, delimiter) {
            await turn();
            const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
            const fold = (key: string) => {
                const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
                return end < 0 ? key : key.slice(0, end + 1);
            };
            return [...new Set(keys.map(fold))].sort();
        },
    };
}
