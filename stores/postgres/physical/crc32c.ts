// Eight tables: eight bytes a step. https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4 (polynomial), Intel's "slicing-by-8" (the way)
const tables = makeTables();

type Table = Uint32Array;
type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table];

function makeTables(): Tables {
    const table = () => new Uint32Array(256);
    const made: Tables = [table(), table(), table(), table(), table(), table(), table(), table()];
    for (let byte = 0; byte < 256; byte += 1) {
        let crc = byte;
        for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
        made[0]![byte] = crc;
    }
    for (let byte = 0; byte < 256; byte += 1)
        for (let table = 1; table < 8; table += 1) {
            const before = made[table - 1]![byte]!;
            made[table]![byte] = (before >>> 8) ^ made[0]![before & 255]!;
        }
    return made;
}

/** CRC-32C, which PostgreSQL's log has over each record and Node's zlib has not. @param before of the bytes that came before. Default: none did */
export function crc32c(bytes: Uint8Array, before = 0): number {
    const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
    let crc = ~before;
    let at = 0;
    for (const last = bytes.length - 8; at <= last; at += 8) {
        crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
        crc =
            t7[crc & 255]! ^
            t6[(crc >>> 8) & 255]! ^
            t5[(crc >>> 16) & 255]! ^
            t4[crc >>> 24]! ^
            t3[bytes[at + 4]!]! ^
            t2[bytes[at + 5]!]! ^
            t1[bytes[at + 6]!]! ^
            t0[bytes[at + 7]!]!;
    }
    for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ t0[(crc ^ bytes[at]!) & 255]!;
    return ~crc >>> 0;
}
