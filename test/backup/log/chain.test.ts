import assert from "node:assert/strict";
import fc from "fast-check";
import { chainOf, newestRun, runFrom } from "../../../backup/log/chain.ts";
import { newHistory, parseHistory, parsePiece, pieceKey, type Piece } from "../../../backup/log/key.ts";

const history = "20261127T010203Z-0f3a~primary";
const piece = (file: string, from: number, to: number, more: Partial<Piece> = {}): Piece => ({
    history,
    file,
    from,
    to,
    ends: "event",
    ...more,
});
const follows = (file: string, next: string) => Number(next.split(".")[1]) === Number(file.split(".")[1]) + 1;

describe("the names of a log's pieces", () => {
    const whatever = fc.record({
        file: fc.constantFrom("binlog.000003", "000000010000000000000002", "00000002.history"),
        from: fc.integer({ min: 0, max: 2 ** 40 }),
        length: fc.integer({ min: 0, max: 2 ** 30 }),
        position: fc.option(fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }), { nil: undefined }),
        ends: fc.constantFrom("event", "file", "anywhere" as const),
    });

    it("tell everything about a piece, and read back as it", () => {
        fc.assert(
            fc.property(whatever, ({ file, from, length, position, ends }) => {
                const made: Piece = { history, file, from, to: from + length, ends, ...(position === undefined ? {} : { position }) };
                const key = pieceKey("shop", made);
                assert.match(key, /^[A-Za-z0-9/._~-]+$/);
                // A position that would make the key too long is left out.
                const read = parsePiece("shop", key);
                assert.deepEqual({ ...read, position: undefined }, { ...made, position: undefined });
                assert.ok(read!.position === position || key.length < 200);
            }),
        );
    });

    it("sort as the bytes do", () =>
        assert.ok(pieceKey("shop", piece("binlog.000001", 9, 10)) < pieceKey("shop", piece("binlog.000001", 10, 11))));

    it("leave out what would leave the directory, is backwards, or is no piece", () => {
        for (const key of [
            `shop/log/${history}/../000000000000000-000000000000001`,
            `shop/log/${history}/.hidden/000000000000000-000000000000001`,
            `shop/log/${history}/binlog.000001/000000000000002-000000000000001`,
            `shop/log/${history}/binlog.000001/000000000000000-000000000000001/more`,
            `other/log/${history}/binlog.000001/000000000000000-000000000000001`,
            `shop/log/nonsense/binlog.000001/000000000000000-000000000000001`,
        ])
            assert.equal(parsePiece("shop", key), undefined, key);
    });

    it("tell a history's begin, site and server", () => {
        const name = newHistory(new Date("2026-11-27T01:02:03.5Z"), "standby", "730/1~x");
        const { begun, site, identity } = parseHistory(name)!;
        assert.match(begun, /^20261127T010203Z-[0-9a-f]{4}$/);
        assert.deepEqual({ site, identity }, { site: "standby", identity: "730/1~x" });
        assert.equal(parseHistory("20261127T010203Z-0f3a"), undefined);
    });
});

describe("what pieces make up", () => {
    it("is a file from byte 0 on, with the newest position", () => {
        const [file] = chainOf([
            piece("b.1", 10, 20, { position: "7" }),
            piece("b.1", 0, 10, { position: "3" }),
            piece("b.1", 20, 25, { ends: "anywhere" }),
        ]);
        assert.deepEqual(
            { bytes: file!.bytes, clean: file!.clean, position: file!.position, ended: file!.ended },
            { bytes: 25, clean: 20, position: "7", ended: false },
        );
    });

    it("goes through pieces of two shippers that cut differently", () => {
        const [file] = chainOf([
            piece("b.1", 0, 10),
            piece("b.1", 0, 7),
            piece("b.1", 7, 30),
            piece("b.1", 10, 22),
            piece("b.1", 22, 40, { ends: "file" }),
        ]);
        assert.deepEqual(
            file!.path.map(({ from, to }) => [from, to]),
            [
                [0, 10],
                [7, 30],
                [22, 40],
            ],
        );
        assert.equal(file!.ended, true);
        assert.equal(file!.broken, undefined);
    });

    it("ends a file with a piece that is only its end", () => {
        const [file] = chainOf([piece("b.1", 0, 10), piece("b.1", 10, 10, { ends: "file" })]);
        assert.deepEqual({ bytes: file!.bytes, ended: file!.ended }, { bytes: 10, ended: true });
    });

    it("names the first range that is missing", () => {
        const run = runFrom(chainOf([piece("b.1", 0, 10), piece("b.1", 15, 20)]), "b.1", follows);
        assert.equal(run.gap!.why, "bytes 10 to 14 of b.1 are missing");
    });

    it("has a gap where the end of a file, or a file, is missing", () => {
        const [one, three] = [piece("b.1", 0, 10, { ends: "file" }), piece("b.3", 0, 5)];
        assert.match(runFrom(chainOf([one, three]), "b.1", follows).gap!.why, /the file after b\.1 is missing/);
        assert.match(
            runFrom(chainOf([piece("b.2", 0, 10), three]), "b.2", follows).gap!.why,
            /b\.2 is missing from byte 10 on, and b\.3 is there/,
        );
        assert.match(runFrom(chainOf([one]), "b.9", follows).gap!.why, /nothing of b\.9/);
    });

    it("has a gap where two pieces say different ends", () => {
        const contradiction = [piece("b.1", 0, 10, { ends: "file" }), piece("b.1", 0, 20)];
        assert.match(runFrom(chainOf(contradiction), "b.1", follows).gap!.why, /is said to end at byte|elsewhere/);
        assert.match(runFrom(chainOf([piece("b.1", 0, 20), piece("b.1", 0, 10, { ends: "file" })]), "b.1", follows).gap!.why, /elsewhere/);
    });

    it("goes on from the newest run of files, in the order of their numbers", () => {
        const chain = chainOf([
            piece("b.999", 0, 1, { ends: "file" }),
            piece("b.1000", 0, 1, { ends: "file" }),
            piece("b.1001", 0, 4),
            piece("b.997", 0, 1, { ends: "file" }),
        ]);
        assert.deepEqual(
            newestRun(chain, follows).map(({ file }) => file),
            ["b.999", "b.1000", "b.1001"],
        );
    });

    it("is found whole however a file was cut, by however many shippers; and with any piece of a single cut away it is not", () => {
        const cuts = (length: number) => fc.uniqueArray(fc.integer({ min: 1, max: length - 1 }), { maxLength: 12 });
        const length = 200;
        const piecesOf = (at: readonly number[]) => {
            const bounds = [0, ...at.toSorted((a, b) => a - b), length];
            return bounds.slice(1).map((to, index) => piece("b.1", bounds[index]!, to, { ends: to === length ? "file" : "event" }));
        };
        fc.assert(
            fc.property(fc.array(cuts(length), { minLength: 1, maxLength: 3 }), fc.nat(), (shippers, lost) => {
                const [file] = chainOf(shippers.flatMap(piecesOf));
                assert.ok(file!.ended && file!.bytes === length && file!.broken === undefined);
                let known = 0;
                for (const { from, to } of file!.path) {
                    assert.ok(from <= known && to >= known);
                    known = to;
                }
                const single = piecesOf(shippers[0]!);
                const gone = lost % single.length;
                const rest = single.filter((_, at) => at !== gone);
                const [broken] = chainOf(rest);
                assert.ok(rest.length === 0 || gone === single.length - 1 ? !broken?.ended : broken!.broken !== undefined);
            }),
        );
    });
});
