import type { Manifest, RecoveryPoint } from "../../model/manifest.ts";

const measure = { bytes: 10, sha256: "0".repeat(64) };

/** A manifest as a backup writes it, of a point that nobody made. */
export function manifestOf(point: string, more: Partial<Manifest> = {}): Manifest {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(point)!;
    const at = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
    const store = more.store ?? "s";
    return {
        ...{ version: 2, store, engine: "postgres", point, site: "primary", startedAt: at.toISOString() },
        ...{ copiedAt: new Date(at.getTime() + 3000).toISOString(), finishedAt: new Date(at.getTime() + 5000).toISOString() },
        ...{ key: `${store}/${point}/data`, compression: "zstd", encryption: { scheme: "aws-encryption-sdk", keyAlias: "alias/x" } },
        ...{ stored: measure, dump: measure, server: { version: "15", position: "0/10" }, unprotected: [] },
        ...more,
    };
}

/** The catalog's record of it. */
export const recoveryPointOf = (manifest: Manifest): RecoveryPoint => ({
    manifest,
    verified: { at: manifest.finishedAt, site: "standby", seconds: 1, started: true, reached: manifest.server.position },
    copies: 2,
});
