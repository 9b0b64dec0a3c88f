/**
 * A database pod without a cluster: the server as model/servers.ts declares it, its guard's gate before it on a port of 127.0.0.1, its volume, socket and passwords in a
 * directory of its own, started by the same entrypoint that the sandbox's images have. Containers share paths by mounts; here the paths are replaced in the text.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { otherSite, type SiteName } from "../../../model/estate.ts";
import type { Engine } from "../../../sandbox/engines.ts";
import type { EpochRecord } from "../../../model/epoch.ts";
import { passwordDirectory, passwordNames, type PasswordName } from "../../../model/servers.ts";
import { kindOf } from "../../../stores/registry.ts";
import type { DatabasePlace, GuardedServer, PeerCopy } from "../../../stores/place.ts";
import { epochMemoryOn } from "../../../recovery/databases/epoch-memory.ts";
import { startGate, type Gate } from "../../../recovery/databases/gate.ts";
import { guardOf, type Guard } from "../../../recovery/databases/guard.ts";
import { proofsOf, type Proofs } from "../../../recovery/databases/proofs.ts";
import { seed } from "../../../recovery/databases/seed.ts";
import { seconds } from "../../../model/units.ts";
import { tools } from "../../../sandbox/tools.ts";
import { estate } from "../../backup/support/account.ts";
import { freePort } from "../../support/free-port.ts";

const nobody = 65_534;

/** With the characters that scripts trip over. */
export const passwords: Readonly<Record<PasswordName, string>> = {
    root: `r'o"o\\t $x`,
    app: `a'p"p\\ $x:`,
    backup: "backup-secret",
    replication: `rep'l:i\\c`,
};

/** Who is active, for every pod that shares it. */
export class Epoch {
    record: EpochRecord | undefined;
    constructor(active: SiteName) {
        this.set(1, active);
    }
    set(epoch: number, active: SiteName): void {
        this.record = { epoch, active, at: new Date().toISOString(), by: "test", reason: "test" };
    }
    read = async (): Promise<EpochRecord> => {
        if (!this.record) throw new Error("the standby region does not answer");
        return this.record;
    };
}

export class Pod {
    readonly place: DatabasePlace;
    readonly server: GuardedServer;
    readonly proofs: Proofs;
    readonly guard: Guard;
    /** Where clients and the peer reach it: the gate. */
    readonly port: number;
    /** So many seconds are taken to have passed, on the guard's clock. */
    passed = 0;
    /** Whose server it copies. */
    peer: Pod | undefined;
    readonly notes: string[] = [];
    readonly #directory: string;
    readonly #epoch: Epoch;
    #gate: Gate | undefined;
    #child: ChildProcess | undefined;
    #output = "";

    constructor(o: { kind: Engine; site: SiteName; port: number; gatePort: number; peerPort: number; epoch: Epoch }) {
        const store = `shop-${o.kind}`;
        this.#directory = mkdtempSync(join(tmpdir(), `lifeboat-pod-${o.kind}-`));
        this.#epoch = o.epoch;
        for (const each of ["volume", "run", "passwords", "init"]) mkdirSync(join(this.#directory, each));
        for (const name of passwordNames) writeFileSync(join(this.#directory, "passwords", name), passwords[name]);
        for (const [name, text] of Object.entries(kindOf({ engine: o.kind }).server.initScripts(store, "shop"))) {
            writeFileSync(join(this.#directory, "init", name), this.#local(text, o.kind, store));
            chmodSync(join(this.#directory, "init", name), 0o555);
        }
        this.place = {
            site: o.site,
            store,
            engine: o.kind,
            database: "shop",
            volume: join(this.#directory, "volume"),
            socketDirectory: join(this.#directory, "run"),
            port: o.port,
            peer: { host: "127.0.0.1", port: o.peerPort },
            password: (name) => passwords[name],
            copyFromPeer: (signal) => this.#copyOf(this.peer!, signal),
            note: (line) => void this.notes.push(line),
        };
        this.server = kindOf(this.place).operations.guarded(this.place);
        this.port = o.gatePort;
        this.proofs = proofsOf({
            site: o.site,
            terms: estate.lease,
            provers: [{ id: "standby", name: "the standby", read: o.epoch.read }],
            memory: epochMemoryOn(this.place.volume, this.place.note),
            now: () => seconds(performance.now() / 1000 + this.passed),
        });
        this.guard = guardOf({
            place: this.place,
            server: this.server,
            proofs: this.proofs,
            drop: () => this.#gate?.drop(),
            signal: new AbortController().signal,
        });
    }

    /** The guard asks who is active, looks, and does what follows. */
    async look(): Promise<string | undefined> {
        await this.proofs.ask();
        return this.guard.look();
    }

    async openGate(): Promise<void> {
        this.#gate = await startGate({
            listen: { host: "127.0.0.1", port: this.port },
            server: this.place.port,
            passes: this.guard.passes,
        });
    }

    /** A text with the paths of this directory in place of those that mounts would give. */
    #local(text: string, kind: string, store: string): string {
        const shape = kindOf({ engine: kind }).server;
        return text
            .replaceAll(passwordDirectory(store), join(this.#directory, "passwords"))
            .replaceAll(shape.dataMount, join(this.#directory, "volume"))
            .replaceAll(shape.socketMount, join(this.#directory, "run"))
            .replaceAll("/docker-entrypoint-initdb.d", join(this.#directory, "init"));
    }

    /** What the archive in the peer's pod serves: a copy made beside its server. */
    async #copyOf(peer: Pod, signal: AbortSignal): Promise<PeerCopy> {
        const { place } = peer;
        const kind = kindOf(place);
        const scratch = mkdtempSync(join(peer.#directory, "copy-"));
        const server = {
            host: "localhost",
            port: place.port,
            user: kind.server.superuser,
            password: passwords.root,
            database: "shop",
            socketDirectory: place.socketDirectory,
        };
        const data = kind.dataDirectory(place.volume);
        const copy = await kind.operations.physical.copy({ server, data, scratch }, signal);
        return {
            stream: copy.program.stdout,
            facts: async () => {
                await copy.program.ended;
                return copy.facts();
            },
        };
    }

    #own(): void {
        execFileSync("chown", ["-R", `${nobody}:${nobody}`, this.#directory]);
    }

    /** The init container. */
    async seed() {
        const decision = await seed(this.place, this.#epoch.read, AbortSignal.timeout(60_000));
        this.#own();
        return decision;
    }

    /** The server container; resolves when it answers on its port. */
    async start(): Promise<void> {
        const { engine: kind, store, port, site, socketDirectory } = this.place;
        const shape = kindOf({ engine: kind }).server;
        this.#own();
        const local = (text: string) => this.#local(text, kind, store);
        const image = readFileSync(new URL(`../../../sandbox/node/images/${kind}.sh`, import.meta.url), "utf8");
        // libpq finds the socket where it was compiled to look; a mount would put it there.
        writeFileSync(join(this.#directory, "entrypoint.sh"), local(image).replaceAll("PGHOST=''", `PGHOST='${socketDirectory}'`));
        const own =
            kind === "mariadb"
                ? ["--innodb-buffer-pool-size=32M", `--pid-file=${socketDirectory}/mysqld.pid`]
                : ["-c", `unix_socket_directories=${socketDirectory}`, "-c", "shared_buffers=32MB"];
        const args = shape.args(site).map((argument) => local(argument.replace(`port=${shape.port}`, `port=${port}`)));
        const env = Object.fromEntries(Object.entries(shape.env(store)).map(([name, value]) => [name, local(value)]));
        const child = spawn(
            "setpriv",
            [
                ...[`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--pdeathsig=KILL", "--"],
                ...["bash", join(this.#directory, "entrypoint.sh"), ...args, ...own],
            ],
            {
                cwd: this.#directory,
                stdio: ["ignore", "pipe", "pipe"],
                env: {
                    PATH: `${tools.postgresBin}:${dirname(process.execPath)}:/usr/bin:/bin:/usr/sbin:/sbin`,
                    PGPORT: String(port),
                    PGHOST: socketDirectory,
                    // Names of temporary tables begin with a process's number, which two containers may share.
                    TMPDIR: socketDirectory,
                    ...env,
                },
            },
        );
        this.#child = child;
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (this.#output += text));
        for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
            if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.#output}`);
            if (
                (await answers(port)) &&
                (await this.server.status().then(
                    () => true,
                    () => false,
                ))
            )
                return;
        }
        throw new Error(`the server does not answer:\n${this.#output}`);
    }

    async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
        const child = this.#child;
        this.#child = undefined;
        if (!child || child.exitCode !== null || child.signalCode !== null) return;
        const ended = new Promise((resolve) => child.once("close", resolve));
        // PostgreSQL's children end when their postmaster is gone.
        child.kill(signal);
        await ended;
    }

    /** Stops it and removes its directory. */
    async remove(): Promise<void> {
        await this.#gate?.close();
        await this.stop(this.place.engine === "postgres" ? "SIGQUIT" : "SIGKILL");
        rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
    }
}

const answers = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1");
        socket.once("connect", () => {
            socket.destroy();
            resolve(true);
        });
        socket.once("error", () => resolve(false));
    });

/** The two sites' pods of one store. The primary is active. */
export async function makePair(kind: Engine) {
    const epoch = new Epoch("primary");
    const gates = { primary: await freePort(), standby: await freePort() };
    const make = async (site: SiteName) => {
        const pod = new Pod({ kind, site, port: await freePort(), gatePort: gates[site], peerPort: gates[otherSite(site)], epoch });
        await pod.openGate();
        return pod;
    };
    const [primary, standby] = [await make("primary"), await make("standby")];
    [primary.peer, standby.peer] = [standby, primary];
    return { epoch, primary, standby };
}
