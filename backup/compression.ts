import type { Duplex } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";

/** Level 1: compression is the bottleneck. Never nbWorkers: Node's stream dies of it. */
export const compressing = (): Duplex =>
    createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 } });

export const decompressing = (): Duplex => createZstdDecompress();
