import { Command } from "commander";
import { hostname } from "node:os";
import { Failure } from "../../model/failure.ts";
import { epochMemoryOn } from "../../recovery/databases/epoch-memory.ts";
import { startGate, type Gate } from "../../recovery/databases/gate.ts";
import { serveGuard, runningGuard } from "../../recovery/databases/guard-socket.ts";
import { guardOf } from "../../recovery/databases/guard.ts";
import { kindOf } from "../../stores/registry.ts";
import { proofsOf } from "../../recovery/databases/proofs.ts";
import { provers, witnessKeeper } from "../../recovery/databases/witness.ts";
import { witnessOf } from "../../recovery/coordination.ts";
import { databasePlace } from "../database-place.ts";
import { interruption } from "../interruption.ts";
import { note, print } from "../output.ts";

interface Options {
    promote?: boolean;
    rejoin?: boolean;
    status?: boolean;
    json?: boolean;
}

export const command = new Command("guard")
    .argument("<store>", "store of the estate")
    .description(
        "Runs beside a store's server and is the one way to it over the network: it listens on the pod's address (LIFEBOAT_POD_ADDRESS) and passes\n" +
            "the server's answers on while it holds a proof that its site may write, or while the server takes no writes. It asks the epoch record in\n" +
            "the standby and the witness's copy every few seconds; where neither answers for the lease's duration it drops all sessions and makes\n" +
            "the server read-only. A replica is left to follow its peer until an activation promotes it.",
    )
    .option(
        "--promote",
        "have the guard that runs promote the server in place, and end: refused unless this site is the active one; may be repeated",
    )
    .option(
        "--rejoin",
        "have the guard that runs make the closed server a replica of the active site's, and end: what it holds alone is lost; `lifeboat failback` saves it first",
    )
    .option("--status", "print role, lag, position and lease as JSON, as the guard that runs knows them, and end")
    .option("--json", "accepted for symmetry: --promote, --rejoin and --status print JSON anyway")
    .action(async (store: string, options: Options) => {
        if ([options.promote, options.rejoin, options.status].filter(Boolean).length > 1)
            throw new Failure("usage", "--promote, --rejoin and --status are different questions", "ask one at a time");
        const place = await databasePlace(store);
        const running = runningGuard(place.socketDirectory);
        if (options.status) return print(await running.status());
        if (options.promote) return print(await running.promote());
        if (options.rejoin) return print(await running.rejoin());

        const { standpoint, socketDirectory } = place;
        const kind = kindOf(place);
        const host = process.env["LIFEBOAT_POD_ADDRESS"];
        if (!host) throw new Failure("usage", "it is not said where to listen", "set LIFEBOAT_POD_ADDRESS to the pod's own address");
        const terms = standpoint.estate.lease;
        const proofs = proofsOf({ site: standpoint.site, terms, provers: provers(standpoint), memory: epochMemoryOn(place.volume, note) });
        const bucket = witnessOf(standpoint.estate, standpoint.account);
        const guard = guardOf({
            place,
            server: kind.operations.guarded(place),
            proofs,
            drop: () => gate.drop(),
            answered: witnessKeeper({ standpoint, store, holder: hostname(), proofs, bucket, note }),
            signal: interruption,
        });
        const gate: Gate = await startGate({ listen: { host, port: kind.server.port }, server: place.port, passes: guard.passes });
        const socket = await serveGuard(socketDirectory, guard);
        note(`guarding ${store} in the ${standpoint.site} site, on ${host}:${gate.port}`);
        await guard.run(terms.renewEvery * 1000);
        socket.close();
        await gate.close();
    });
