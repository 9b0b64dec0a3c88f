/** Schemas and values that nobody thought of, as statements of an engine's own client. */
import fc from "fast-check";

/** A type, and literals of it. */
interface Kind {
    readonly type: string;
    readonly literal: fc.Arbitrary<string>;
    /** Whether it can stand in an index and a generated column. */
    readonly plain?: boolean;
}

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll("\0", "")}'`;
const text = (unit: fc.StringConstraints["unit"], most: number) => fc.string({ unit: unit ?? "grapheme", maxLength: most });
const hex = (most: number) => fc.uint8Array({ maxLength: most }).map((bytes) => Buffer.from(bytes).toString("hex"));
const digits = (before: number, after: number) =>
    fc.tuple(fc.boolean(), fc.stringMatching(new RegExp(`^[0-9]{1,${before}}$`)), fc.stringMatching(new RegExp(`^[0-9]{1,${after}}$`)));
const decimal = (before: number, after: number) =>
    digits(before, after).map(([negative, high, low]) => `${negative ? "-" : ""}${high}.${low}`);
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-3e38), max: Math.fround(3e38) });
const moment = fc.date({ min: new Date("1980-01-01T00:00:00Z"), max: new Date("2037-12-31T00:00:00Z"), noInvalidDate: true });

const mariadbKinds: readonly Kind[] = [
    { type: "int", literal: fc.integer({ min: -2147483648, max: 2147483647 }).map(String), plain: true },
    { type: "bigint unsigned", literal: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String), plain: true },
    { type: "float", literal: float.map(String) },
    { type: "double", literal: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
    { type: "decimal(30,6)", literal: decimal(24, 6) },
    { type: "bit(13)", literal: fc.integer({ min: 0, max: 8191 }).map(String) },
    { type: "varchar(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", literal: text("grapheme", 12).map(quoted), plain: true },
    { type: "varchar(60) CHARACTER SET latin1", literal: text("grapheme-ascii", 12).map(quoted), plain: true },
    { type: "varbinary(40)", literal: hex(40).map((bytes) => `x'${bytes}'`) },
    { type: "longblob", literal: hex(300).map((bytes) => `x'${bytes}'`) },
    { type: "datetime(6)", literal: moment.map((at) => quoted(at.toISOString().replace("T", " ").replace("Z", ""))) },
    { type: "timestamp(3) NULL", literal: moment.map((at) => quoted(at.toISOString().slice(0, 23).replace("T", " "))) },
    { type: "json", literal: fc.json().map(quoted) },
    { type: "enum('a','b''c','')", literal: fc.constantFrom("'a'", "'b''c'", "''") },
    { type: "uuid", literal: fc.uuid().map(quoted) },
    { type: "point", literal: fc.tuple(fc.integer(), fc.integer()).map(([x, y]) => `ST_GeomFromText('POINT(${x} ${y})')`) },
];
const postgresKinds: readonly Kind[] = [
    { type: "int", literal: fc.integer({ min: -2147483648, max: 2147483647 }).map(String), plain: true },
    { type: "bigint", literal: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => `'${n}'`), plain: true },
    { type: "real", literal: float.map((n) => `'${n}'`) },
    { type: "double precision", literal: fc.double().map((n) => `'${n}'`) },
    { type: "numeric", literal: decimal(30, 20) },
    { type: "bit varying(20)", literal: fc.stringMatching(/^[01]{0,20}$/).map((bits) => `B'${bits}'`) },
    { type: "text", literal: text("grapheme", 12).map((each) => `E${quoted(each)}`), plain: true },
    { type: 'text COLLATE "C"', literal: text("grapheme-ascii", 12).map((each) => `E${quoted(each)}`), plain: true },
    { type: "bytea", literal: hex(300).map((bytes) => `'\\x${bytes}'`) },
    { type: "timestamptz", literal: moment.map((at) => quoted(at.toISOString())) },
    { type: "interval", literal: fc.integer({ min: -1e9, max: 1e9 }).map((n) => `'${n} seconds 3 months'`) },
    {
        type: "jsonb",
        literal: fc.json({ noUnicodeString: true } as fc.JsonSharedConstraints).map((each) => `E${quoted(each.replaceAll("\\u0000", ""))}`),
    },
    { type: "int[]", literal: fc.array(fc.integer(), { maxLength: 4 }).map((all) => `'{${all.join(",")}}'`) },
    {
        type: "int4range",
        literal: fc.tuple(fc.integer({ min: -99, max: 0 }), fc.integer({ min: 0, max: 99 })).map(([a, b]) => `'[${a},${b}]'`),
    },
    { type: "uuid", literal: fc.uuid().map(quoted) },
    { type: "point", literal: fc.tuple(fc.integer(), fc.integer()).map(([x, y]) => `'(${x},${y})'`) },
];

interface Table {
    readonly columns: readonly Kind[];
    readonly rows: readonly (readonly string[])[];
    readonly extra: number;
}

function tables(kinds: readonly Kind[]): fc.Arbitrary<readonly Table[]> {
    const one = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 7 }).chain((columns) =>
        fc.record({
            columns: fc.constant(columns),
            rows: fc.array(fc.tuple(...columns.map(({ literal }) => fc.option(literal, { nil: "NULL", freq: 6 }))), { maxLength: 8 }),
            extra: fc.nat(5),
        }),
    );
    return fc.array(one, { minLength: 1, maxLength: 6 });
}

const names = (of: string) => (at: number) => `${of} ${at} "é'`;

/** Statements of MariaDB's client. */
export const mariadbSchema = tables(mariadbKinds).map((all) =>
    all
        .map(({ columns, rows, extra }, at) => {
            const [table, column] = [`\`${names("t")(at)}\``, (n: number) => `\`${names("c")(n)}\``];
            const index = columns.findIndex(({ plain }) => plain);
            const also = [
                index >= 0 ? `, g ${columns[index]!.type} GENERATED ALWAYS AS (${column(index)}) STORED, KEY (${column(index)})` : "",
                ", n int NOT NULL AUTO_INCREMENT PRIMARY KEY, h int INVISIBLE DEFAULT 5",
                ", PRIMARY KEY (id), id int NOT NULL AUTO_INCREMENT",
                "",
                ", id int NOT NULL AUTO_INCREMENT, PRIMARY KEY (id)",
                "",
            ][extra]!;
            // Partitions have no room for shapes.
            const whole = columns.some(({ type }) => type === "point");
            const tail = [
                "",
                "",
                "",
                " WITH SYSTEM VERSIONING",
                whole ? "" : " PARTITION BY HASH (id) PARTITIONS 3",
                " ROW_FORMAT=COMPRESSED CHARACTER SET latin1",
            ][extra]!;
            const list = columns.map((_, n) => column(n)).join(", ");
            return [
                `CREATE TABLE ${table} (${columns.map(({ type }, n) => `${column(n)} ${type}`).join(", ")}${also})${tail};`,
                ...rows.map((row) => `INSERT IGNORE INTO ${table} (${list}) VALUES (${row.join(", ")});`),
                ...(extra === 3 ? [`DELETE FROM ${table} LIMIT 1;`] : []),
                `CREATE VIEW \`v${at}\` AS SELECT ${list} FROM ${table};`,
                `CREATE SEQUENCE s${at} START WITH ${at * 7 + 1} INCREMENT BY ${extra + 1}; SELECT NEXTVAL(s${at});`,
                `CREATE FUNCTION f${at}(n int) RETURNS int DETERMINISTIC RETURN n * ${at + 2};`,
                `CREATE TRIGGER r${at} BEFORE INSERT ON ${table} FOR EACH ROW SET @seen = f${at}(1);`,
                `CREATE ROLE role${at}; GRANT SELECT ON ${table} TO role${at};`,
            ].join("\n");
        })
        .join("\n"),
);

/** Statements of psql. */
export const postgresSchema = tables(postgresKinds).map((all) =>
    all
        .map(({ columns, rows, extra }, at) => {
            const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
            const [table, column] = [identifier(names("t")(at)), (n: number) => identifier(names("c")(n))];
            const index = columns.findIndex(({ plain }) => plain);
            const also = [
                index >= 0 ? `, g ${columns[index]!.type} GENERATED ALWAYS AS (${column(index)}) STORED` : "",
                ", n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
                ", n serial",
                "",
                ", k int NOT NULL DEFAULT 3",
                "",
            ][extra]!;
            const list = columns.map((_, n) => column(n)).join(", ");
            return [
                `CREATE TABLE ${table} (${columns.map(({ type }, n) => `${column(n)} ${type}`).join(", ")}${also})${extra === 4 ? " PARTITION BY RANGE (k)" : ""};`,
                ...(extra === 4 ? [`CREATE TABLE p${at} PARTITION OF ${table} FOR VALUES FROM (0) TO (9);`] : []),
                ...rows.map((row) => `INSERT INTO ${table} (${list}) VALUES (${row.join(", ")});`),
                ...(extra === 3 ? [`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY; CREATE POLICY narrow ON ${table} USING (false);`] : []),
                `CREATE VIEW v${at} AS SELECT ${list} FROM ${table};`,
                `CREATE MATERIALIZED VIEW m${at} AS SELECT count(*) FROM ${table};`,
                `CREATE SEQUENCE s${at} START WITH ${at * 7 + 1} INCREMENT BY ${extra + 1}; SELECT nextval('s${at}');`,
                `CREATE FUNCTION f${at}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';`,
                `CREATE TRIGGER r${at} BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION f${at}();`,
                `SELECT lo_from_bytea(${1000 + at}, '\\x00${"ff".repeat(extra)}');`,
                `CREATE ROLE role${at}; GRANT SELECT ON ${table} TO role${at}; COMMENT ON TABLE ${table} IS ${quoted(names("é")(at))};`,
            ].join("\n");
        })
        .join("\n"),
);
