import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { kindOf } from "../../stores/registry.ts";
import { storeOf } from "../backup.ts";
import { listObjects, vaultOf, type Standpoint } from "../vault.ts";
import { chainOf, type FileRange } from "./chain.ts";
import { historyFolder, logFolder, parseHistory, parsePiece, type HistoryName } from "./key.ts";
import type { Reading, StoredPiece } from "./piece.ts";

/** The engine's side of a store's log. */
export const logOf = (standpoint: Standpoint, store: string) => kindOf(storeOf(standpoint, store)).operations.physical.log;

export function readingOf(standpoint: Standpoint, store: string): Reading {
    const { clients, bucket } = vaultOf(standpoint);
    return { s3: clients.s3, kms: clients.kms, account: standpoint.account, bucket, store };
}

/** The histories of a store's log in this site's vault, oldest first: those of both sites, as far as they are replicated. */
export async function historiesOf(standpoint: Standpoint, store: string): Promise<HistoryName[]> {
    const { clients, bucket } = vaultOf(standpoint);
    const prefix = logFolder(store);
    const found: HistoryName[] = [];
    for (let token: string | undefined; ;) {
        const page = await clients.s3.send(
            new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: "/", ContinuationToken: token }),
        );
        for (const { Prefix } of page.CommonPrefixes ?? []) {
            const name = parseHistory(Prefix?.slice(prefix.length, -1) ?? "");
            if (name) found.push(name);
        }
        token = page.NextContinuationToken;
        if (!page.IsTruncated || !token) return found.sort((a, b) => (a.history < b.history ? -1 : 1));
    }
}

/** Every piece of a history in this site's vault. What is no piece of ours is left out. */
export async function piecesOf(standpoint: Standpoint, store: string, history: string): Promise<StoredPiece[]> {
    const { clients, bucket } = vaultOf(standpoint);
    const pieces: StoredPiece[] = [];
    for await (const { key, bytes } of listObjects(clients.s3, bucket, historyFolder(store, history))) {
        const piece = parsePiece(store, key);
        if (piece) pieces.push({ ...piece, stored: bytes });
    }
    return pieces;
}

export interface ListedHistory extends HistoryName {
    readonly files: readonly FileRange[];
}

/** What lies in this site's vault of a store's log: histories, oldest first, with the ranges of their files. By names alone: nothing is read. */
export async function listLog(standpoint: Standpoint, store: string): Promise<ListedHistory[]> {
    const listed: ListedHistory[] = [];
    for (const name of await historiesOf(standpoint, store))
        listed.push({ ...name, files: chainOf(await piecesOf(standpoint, store, name.history)) });
    return listed;
}
