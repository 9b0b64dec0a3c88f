import { defineEstate } from "../model/estate.ts";

/** What this estate runs and what it promised. Everything else follows from this page. */
export const estate = defineEstate({
    name: "orders",
    domain: "orders.example",
    sites: { primary: { region: "us-east-1" }, standby: { region: "us-west-2" }, witness: { region: "us-east-2" } },
    decision: "5 min",
    stores: {
        "orders-mysql": {
            kind: "mariadb",
            objective: { rto: "1 h", rpo: "15 min" },
            backup: { every: "5 min" },
        },
        "orders-postgres": {
            kind: "postgres",
            objective: { rto: "1 h", rpo: "15 min" },
            backup: { every: "5 min" },
        },
    },
    services: {
        orders: {
            image: "lifeboat/orders:0.1.0",
            needs: ["orders-mysql", "orders-postgres"],
            objective: { rto: "10 min", rpo: "5 s" },
        },
    },
});
