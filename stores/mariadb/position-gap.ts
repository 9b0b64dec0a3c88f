import type mysql from "mysql2/promise";
import { rowsOf } from "./client.ts";

/** More transactions than any server writes between a restored moment and its restore. */
const gap = 1_000_000_000_000n;

/**
 * A restored server would count on from the moment that it shows, and give the numbers of lost transactions to new ones: a replica that has the lost ones would be let in once they are passed, and
 * hold other rows without a word. So the numbers jump: a replica that is past the moment is refused for ever, because its position is in no log. One that is not past it follows.
 * https://mariadb.com/kb/en/gtid/#gtid_seq_no
 */
export async function partHistory(connection: mysql.Connection): Promise<void> {
    const [found] = await rowsOf<{ position: string; domain: string }>(
        connection,
        "SELECT @@gtid_current_pos AS position, @@gtid_domain_id AS domain",
    );
    const newest =
        found?.position
            .split(",")
            .find((gtid) => gtid.trim().split("-")[0] === found.domain)
            ?.split("-")[2] ?? "0";
    await connection.query(`SET SESSION gtid_seq_no = ${BigInt(newest) + gap}`);
    // Changes nothing, and is in the binary log.
    await connection.query("FLUSH USER_RESOURCES");
}
