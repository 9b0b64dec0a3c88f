/** A row as it is compared: `key` and `digest` are hexadecimal hashes, so that they sort alike in a database and here. */
export interface HashedRow {
    /** Of the primary key; in a table without one, of the whole row. */
    key: string;
    /** Of the whole row. */
    digest: string;
}

/** `absent`: the others have no row of this key. `differs`: theirs says something else; which of the two is newer, rows do not tell. */
export type Difference = "absent" | "differs";

/**
 * What one side holds and the other does not hold so. Both come in the order of `key`, then `digest`; one row of each is in memory. Rows that are equal in every
 * column of a table without a key are counted: of three where the others have one, two are absent.
 * @throws RangeError for rows that are out of order: a comparison of them would say nothing
 */
export async function* heldAlone<Row extends HashedRow>(
    ours: AsyncIterable<Row>,
    theirs: AsyncIterable<HashedRow>,
): AsyncGenerator<{ kind: Difference; row: Row }> {
    const others = inOrder(theirs)[Symbol.asyncIterator]();
    try {
        let other = await others.next();
        for await (const row of inOrder(ours)) {
            while (!other.done && other.value.key < row.key) other = await others.next();
            if (other.done || other.value.key !== row.key) yield { kind: "absent", row };
            else {
                if (other.value.digest !== row.digest) yield { kind: "differs", row };
                other = await others.next();
            }
        }
    } finally {
        await others.return?.(undefined);
    }
}

async function* inOrder<Row extends HashedRow>(rows: AsyncIterable<Row>): AsyncGenerator<Row> {
    let last = "";
    for await (const row of rows) {
        if (row.key < last) throw new RangeError(`a row with the key ${row.key} came after ${last}`);
        last = row.key;
        yield row;
    }
}
