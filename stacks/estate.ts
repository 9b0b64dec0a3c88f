import { defineEstate } from "../stores/estate.ts";

/** What this estate runs and what it promised. Everything else follows from this page. */
export const estate = defineEstate({
    name: "orders",
    domain: "orders.example",
    sites: { primary: { region: "us-east-1" }, standby: { region: "us-west-2" }, witness: { region: "us-east-2" } },
    decision: "5 min",
    contacts: [
        { name: "Orders on call", role: "decides, and runs the activation", reach: "pager: orders-on-call" },
        { name: "Database on call", role: "second pair of eyes", reach: "pager: database-on-call" },
        { name: "Head of operations", role: "speaks to customers and management", reach: "+1 202 555 0101" },
    ],
    stores: {
        "orders-mysql": {
            engine: "mariadb",
            objective: { rto: "1 h", rpo: "15 min" },
            backup: { every: "5 min" },
        },
        "orders-postgres": {
            engine: "postgres",
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
