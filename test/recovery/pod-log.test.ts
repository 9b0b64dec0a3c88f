import { equal } from "node:assert/strict";
import { whyOf } from "../../recovery/pod-log.ts";

const refused = (port: number) =>
    `lifeboat: MariaDB at orders-mysql.orders.svc:${port} does not let backup in\n  because connect ECONNREFUSED\n  next: see that the server runs\n` +
    `{\n  "failure": {\n    "exit": "unavailable",\n    "message": "MariaDB does not let backup in"\n  }\n}\n`;

describe("why a command failed in a pod", () => {
    it("is the sentence that it ended with, of the last attempt, and not its JSON", () =>
        equal(
            whyOf(refused(3306) + refused(3307)),
            "MariaDB at orders-mysql.orders.svc:3307 does not let backup in: connect ECONNREFUSED",
        ));
    it("is the end of what was said where no sentence of ours is in it", () => {
        equal(whyOf("Killed\n"), "Killed");
        equal(whyOf("x".repeat(2000)).length, 600);
        equal(whyOf(" \n"), "it said nothing");
    });
});
