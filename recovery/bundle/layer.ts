import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack, type Header, type Pack } from "tar-stream";
import type { Layer } from "../../model/bundle.ts";

/** One file of a layer: from a file, from text, or a link to another path of the bundle. */
export interface Entry {
    /** In the unpacked bundle: "runtime/bin/node". */
    path: string;
    content: { file: string } | { text: string } | { link: string };
    executable?: boolean;
}

/** A layer before it is packed. */
export interface LayerContents {
    name: string;
    entries: readonly Entry[];
}

/**
 * Packs a layer into a file, streamed. The same entries make the same bytes: sorted, without times, owners or the umask of whoever made them.
 * @param file is written
 */
export async function packLayer({ name, entries }: LayerContents, file: string): Promise<Layer> {
    const tar = pack();
    const hash = createHash("sha256");
    let bytes = 0;
    let unpacked = 0;
    const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const feed = async () => {
        for (const entry of sorted) unpacked += await add(tar, entry);
        tar.finalize();
    };
    await Promise.all([
        pipeline(
            tar,
            createGzip({ level: 6 }),
            async function* (source: AsyncIterable<Buffer>) {
                for await (const chunk of source) {
                    hash.update(chunk);
                    bytes += chunk.length;
                    yield chunk;
                }
            },
            createWriteStream(file),
        ),
        // What fails here must end the pipeline too, which would wait for more.
        feed().catch((error: unknown) => {
            tar.destroy(error as Error);
            throw error;
        }),
    ]);
    return { name, sha256: hash.digest("hex"), bytes, files: sorted.length, unpacked };
}

type EntryHeader = Partial<Header> & Pick<Header, "name">;
const plain = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };

/** Adds an entry; gives the bytes that it has unpacked. */
async function add(tar: Pack, { path, content, executable = false }: Entry): Promise<number> {
    const header: EntryHeader = { ...plain, name: path, mode: executable ? 0o755 : 0o644 };
    if ("link" in content) {
        await whole(tar, { ...header, type: "symlink", linkname: content.link });
        return 0;
    }
    if ("text" in content) {
        await whole(tar, header, content.text);
        return Buffer.byteLength(content.text);
    }
    const { size } = statSync(content.file);
    // A file that changes meanwhile fails here: tar-stream counts what comes.
    await pipeline(createReadStream(content.file), tar.entry({ ...header, size }));
    return size;
}

const whole = (tar: Pack, header: EntryHeader, text = ""): Promise<void> =>
    new Promise((resolve, reject) => void tar.entry(header, text, (error) => (error ? reject(error) : resolve())));
