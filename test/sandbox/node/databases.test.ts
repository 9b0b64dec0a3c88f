import assert from "node:assert/strict";
import { until } from "../../../sandbox/daemon.ts";
import { siteNames, type SiteName } from "../../../model/estate.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { sharedSandbox, unique, type Client } from "../support.ts";

const namespace = unique("databases");

/** A database as a stack declares it: password from a file, users from an init script, data on a claim. */
function database(options: {
    image: string;
    name: string;
    port: number;
    data: string;
    args: string[];
    env: Record<string, string>;
    script: string;
    probe: string[];
    user: string;
}): string {
    const env = Object.entries(options.env).map(([name, value]) => ({ name, value }));
    return `
apiVersion: v1
kind: Secret
metadata: {name: ${options.name}, namespace: ${namespace}}
stringData: {root: "it's secret", app: "app's own"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ${options.name}, namespace: ${namespace}}
data: {"10-table.sql": ${JSON.stringify(options.script)}}
---
apiVersion: v1
kind: Service
metadata: {name: ${options.name}, namespace: ${namespace}}
spec: {selector: {app: ${options.name}}, ports: [{port: ${options.port}}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ${options.name}, namespace: ${namespace}}
spec:
  serviceName: ${options.name}
  replicas: 1
  selector: {matchLabels: {app: ${options.name}}}
  template:
    metadata: {labels: {app: ${options.name}}}
    spec:
      securityContext: {runAsUser: 999, runAsGroup: 999, fsGroup: 999}
      containers:
        - name: server
          image: ${options.image}
          args: ${JSON.stringify(options.args)}
          env: ${JSON.stringify(env)}
          readinessProbe: {exec: {command: ${JSON.stringify(options.probe)}}, periodSeconds: 1}
          volumeMounts:
            - {name: data, mountPath: ${options.data}}
            - {name: secret, mountPath: /etc/secret}
            - {name: init, mountPath: /docker-entrypoint-initdb.d}
      volumes:
        - {name: secret, secret: {secretName: ${options.name}, defaultMode: 256}}
        - {name: init, configMap: {name: ${options.name}}}
  volumeClaimTemplates:
    - {metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`;
}

const mariadb = database({
    image: "mariadb:10.11",
    name: "mysql",
    port: 3306,
    data: "/var/lib/mysql",
    args: ["--log-bin=binlog", "--read-only=1", "--innodb-buffer-pool-size=16M"],
    env: {
        MARIADB_ROOT_PASSWORD_FILE: "/etc/secret/root",
        MARIADB_DATABASE: "orders",
        MARIADB_USER: "app",
        MARIADB_PASSWORD_FILE: "/etc/secret/app",
    },
    script: "CREATE TABLE kept (n int primary key); INSERT INTO kept VALUES (7);",
    probe: ["sh", "-c", "mariadb -h127.0.0.1 -uroot -p\"$(cat /etc/secret/root)\" -e 'select 1'"],
    user: "mysql",
});
const postgres = database({
    image: "postgres:15",
    name: "postgres-store",
    port: 5432,
    data: "/var/lib/postgresql/data",
    args: ["-c", "shared_buffers=16MB"],
    env: { POSTGRES_PASSWORD_FILE: "/etc/secret/root", POSTGRES_DB: "orders", PGDATA: "/var/lib/postgresql/data/pgdata" },
    script: "CREATE TABLE kept (n int primary key); INSERT INTO kept VALUES (7);",
    probe: ["pg_isready", "-h", "127.0.0.1", "-d", "orders"],
    user: "postgres",
});

describe("sandbox: databases on both sites", function () {
    this.timeout(300_000);
    let client: Client;
    let sandbox: Sandbox;

    before(async () => {
        ({ client, sandbox } = await sharedSandbox());
        const set = async (site: SiteName, name: string) =>
            until(
                `${name} of ${site}`,
                60_000,
                async () =>
                    (
                        (await client.do("read", site, "apps/v1", "StatefulSet", namespace, name)).status as
                            { readyReplicas?: number } | undefined
                    )?.readyReplicas === 1,
            );
        await Promise.all(
            siteNames.map(async (site) => {
                await client.do("apply", site, `{apiVersion: v1, kind: Namespace, metadata: {name: ${namespace}}}`);
                await client.do("apply", site, `${mariadb}\n---\n${postgres}`);
                await Promise.all([set(site, "mysql"), set(site, "postgres-store")]);
            }),
        );
    });

    const ask = async (site: SiteName, pod: string, command: string) => {
        const answer = await client.do("exec", site, namespace, pod, "server", ["sh", "-c", command]);
        assert.equal(answer.code, 0, answer.stderr);
        return answer.stdout.trim();
    };
    const askMariadb = (site: SiteName, sql: string) =>
        ask(site, "mysql-0", `mariadb -N -h mysql -uapp -p"$(cat /etc/secret/app)" orders -e ${JSON.stringify(sql)}`);
    const askPostgres = (site: SiteName, sql: string) =>
        ask(
            site,
            "postgres-store-0",
            `PGPASSWORD="$(cat /etc/secret/root)" psql -AtX -h postgres-store -U postgres orders -c ${JSON.stringify(sql)}`,
        );

    it("start by the variables, secrets and scripts that the official images honour", async () => {
        for (const site of siteNames) {
            assert.equal(await askMariadb(site, "select n from kept"), "7");
            assert.equal(await askPostgres(site, "select n from kept"), "7");
        }
        assert.equal(await ask("primary", "mysql-0", "id -u; cat /proc/1/comm"), "999\nmariadbd");
        assert.equal(await ask("primary", "postgres-store-0", "id -u; cat /proc/1/comm; stat -c %a $PGDATA"), "999\npostgres\n700");
    });

    it("keep the server's flags: the application may not write to a read-only server", async () => {
        const refused = await client.do("exec", "primary", namespace, "mysql-0", "server", [
            "sh",
            "-c",
            'mariadb -h mysql -uapp -p"$(cat /etc/secret/app)" orders -e "insert into kept values (8)"',
        ]);
        assert.match(refused.stderr, /--read-only/);
    });

    it("keep their data over a kill of the server and over scaling to 0 and back", async () => {
        await askPostgres("standby", "insert into kept values (8)");
        const began = Date.now();
        await client.do("exec", "standby", namespace, "postgres-store-0", "server", ["sh", "-c", "kill -QUIT 1"]);
        await until("the restart", 30_000, async () => (await askPostgres("standby", "select count(*) from kept")) === "2");
        assert.ok(Date.now() - began < 20_000, "served again soon");
        const scale = (replicas: number) =>
            client.do("merge", "standby", {
                apiVersion: "apps/v1",
                kind: "StatefulSet",
                metadata: { name: "mysql", namespace: namespace },
                spec: { replicas },
            });
        await scale(0);
        await until(
            "no pod",
            30_000,
            async () => !(await client.do("pods", "standby", namespace)).some(({ metadata }) => metadata?.name === "mysql-0"),
        );
        await scale(1);
        await until("it answers", 30_000, async () => (await askMariadb("standby", "select n from kept")) === "7");
    });

    it("have an environment of their own in each site: nothing of one is seen in the other", async () => {
        await askPostgres("primary", "create table only_here (n int)");
        assert.equal(await askPostgres("standby", "select to_regclass('only_here') is null"), "t");
        assert.equal((await sandbox.status()).daemons.filter(({ state }) => state === "ended").length, 0);
    });
});
