import assert from "node:assert/strict";
import { seedDump } from "../../../stores/mariadb/dump.ts";

const positionIn = (head: string, tail: string) => seedDump.positionIn({ head: Buffer.from(head), tail: Buffer.from(tail) });

describe("the position in a MariaDB dump", () => {
    const row = "INSERT INTO `orders` VALUES\n(1,'\\nSET GLOBAL gtid_slave_pos=\\'6-6-6\\';');\n";

    it("is found at its end, where mariadb-dump 10.11.19 writes it, also when much lies between", () =>
        assert.equal(
            positionIn(`-- MariaDB dump\n${row}`, `${row}\n-- SET GLOBAL gtid_slave_pos='0-2-6464';\n-- Dump completed\n`),
            "0-2-6464",
        ));
    it("is found at its beginning, where older ones write it", () => {
        assert.equal(positionIn("-- MariaDB dump\nSET GLOBAL gtid_slave_pos='0-1-7,1-1-3';\n", row), "0-1-7,1-1-3");
    });
    it("is not taken from a row", () => assert.equal(positionIn(row, row), undefined));
});
