import assert from "node:assert/strict";
import { asidePod, backupPod, expirePod, restorePod, verifyPod } from "../../components/documents/backup-pod.ts";
import { databasePod } from "../../components/documents/database-pod.ts";
import type { PodTemplate } from "../../components/documents/pods.ts";
import { archiveMount, archivePort, guardSocketMount, passwordDirectory, scratchMount } from "../../model/servers.ts";
import { kindOf } from "../../stores/registry.ts";

const engines = ["mariadb", "postgres"];
const place = { site: "standby" as const, account: "123456789012" };

/** As it is declared: nothing in it is only known later. */
interface Plain {
    spec: {
        securityContext: { runAsUser: number };
        containers: {
            name: string;
            args: string[];
            env: { name: string }[];
            ports?: { name: string; containerPort: number }[];
            volumeMounts: { name: string; mountPath: string }[];
            readinessProbe?: object;
            resources: { limits: { memory: string; cpu?: string } };
            securityContext: { readOnlyRootFilesystem?: boolean };
        }[];
        volumes: { name: string; emptyDir?: { sizeLimit?: string }; secret?: { items: { key: string }[] } }[];
    };
}
const plain = (template: PodTemplate) => JSON.parse(JSON.stringify(template)) as Plain;

describe("The archive beside a server", () => {
    const podOf = (engine: string, site: "primary" | "standby" = "standby") =>
        plain(
            databasePod({
                ...place,
                site,
                store: "s",
                server: kindOf({ engine }).server,
                database: "orders",
                serviceAccount: "guard",
                volume: 10_000,
            }),
        );

    for (const engine of engines)
        it(`has ${engine}'s files, socket and passwords, under the server's own user, and room of its own that the volume bounds`, () => {
            const { server } = kindOf({ engine });
            const { spec } = podOf(engine);
            const archive = spec.containers.find(({ name }) => name === "archive")!;
            assert.deepEqual(archive.args, ["archive", "s"]);
            assert.deepEqual(
                archive.volumeMounts.map(({ mountPath }) => mountPath),
                [server.dataMount, guardSocketMount, passwordDirectory("s"), archiveMount, "/tmp"],
            );
            assert.equal(spec.securityContext.runAsUser, server.uid);
            assert.equal(archive.securityContext.readOnlyRootFilesystem, true);
            assert.deepEqual(spec.volumes.find(({ name }) => name === "archive")?.emptyDir, { sizeLimit: "10000" });
        });
    it("listens on the pod's address, and no probe lets the database wait for it", () => {
        const archive = podOf("mariadb").spec.containers.find(({ name }) => name === "archive")!;
        assert.deepEqual(archive.ports, [{ name: "archive", containerPort: archivePort }]);
        assert.ok(archive.env.some(({ name }) => name === "LIFEBOAT_POD_ADDRESS"));
        assert.equal(archive.readinessProbe, undefined);
    });
    it("is the same in both sites but for the site's name", () => {
        const archive = (site: "primary" | "standby") =>
            JSON.stringify(podOf("postgres", site).spec.containers.find(({ name }) => name === "archive")).replaceAll(site, "SITE");
        assert.equal(archive("primary"), archive("standby"));
    });
});

describe("The pods of backups", () => {
    const o = { store: "s", place, serviceAccount: "a" };
    const passwords = (template: PodTemplate) =>
        plain(template).spec.volumes.flatMap(({ secret }) => secret?.items.map(({ key }) => key) ?? []);

    it("have the password of `backup` where they ask a server or its archive, and none where they start one of their own", () => {
        assert.deepEqual([passwords(backupPod(o)), passwords(asidePod(o))], [["backup"], ["backup"]]);
        for (const template of [expirePod(o), verifyPod({ ...o, room: 5 }), restorePod({ ...o, room: 5 })])
            assert.deepEqual(passwords(template), []);
    });
    it("have a bounded directory for a scratch server, and bounds on memory and processors, where they start one", () => {
        for (const template of [verifyPod({ ...o, room: 5_000 }), restorePod({ ...o, room: 5_000 })]) {
            const { containers, volumes } = plain(template).spec;
            assert.deepEqual(volumes.find(({ name }) => name === "scratch")?.emptyDir, { sizeLimit: "5000" });
            assert.deepEqual(containers[0]!.args.slice(-2), ["--scratch", scratchMount]);
            assert.ok(containers[0]!.volumeMounts.some(({ mountPath }) => mountPath === scratchMount));
            assert.deepEqual(Object.keys(containers[0]!.resources.limits).sort(), ["cpu", "memory"]);
        }
    });
    it("drill a restore by one container that leaves nothing", () => {
        const { containers } = plain(restorePod({ ...o, room: 5 })).spec;
        assert.deepEqual(
            containers.map(({ args }) => args.slice(0, 4)),
            [["restore", "s", "--drill", "--json"]],
        );
    });
});
