import type { EstateDeclaration } from "../../model/estate.ts";

/** A declaration without a fault; `change` makes one in it. */
export function declaration(change: (estate: EstateDeclaration) => void = () => undefined): EstateDeclaration {
    const estate: EstateDeclaration = {
        name: "shop",
        domain: "shop.example",
        sites: { primary: { region: "eu-west-1" }, standby: { region: "eu-central-1" } },
        decision: "5 min",
        stores: {
            ledger: { engine: "mariadb", objective: { rto: "1 h", rpo: "15 min" }, backup: { every: "5 min" } },
            people: { engine: "postgres", objective: { rto: "1 h", rpo: "15 min" }, backup: { every: "5 min" } },
        },
        services: { till: { image: "shop/till:1", needs: ["ledger", "people"], objective: { rto: "10 min", rpo: "5 s" } } },
    };
    change(estate);
    return estate;
}
