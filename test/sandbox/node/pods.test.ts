import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { until } from "../../../sandbox/daemon.ts";
import type { Sandbox } from "../../../sandbox/sandbox.ts";
import { source } from "../source.ts";
import { sharedSandbox, unique, type Client } from "../support.ts";

const node = (script: string) => JSON.stringify(["node", "-e", script]);
const image = "lifeboat/lifeboat:0.1.0";

describe("sandbox: a node", function () {
    this.timeout(300_000);
    let sandbox: Sandbox;
    let client: Client;
    const site = "standby";

    before(async () => {
        ({ sandbox, client } = await sharedSandbox());
    });

    async function namespace(kind: string): Promise<string> {
        const name = unique(kind);
        await client.do("apply", site, `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}}}`);
        // Its default account comes a moment later; a pod without it is refused.
        await until("the account", 10_000, () => client.do("read", site, "v1", "ServiceAccount", name, "default").then(Boolean));
        return name;
    }
    const pod = (ns: string, name: string, spec: string) =>
        client.do(
            "apply",
            site,
            `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${ns}, labels: {app: ${name}}}\nspec:\n${spec}`,
        );
    const read = async (ns: string, name: string) => (await client.do("pods", site, ns)).find((one) => one.metadata?.name === name);
    const phase = (ns: string, name: string, wanted: string) =>
        until(`${name} ${wanted}`, 30_000, async () => {
            const found = await read(ns, name);
            return found?.status?.phase === wanted && found;
        });
    const ready = (ns: string, name: string) =>
        until(`${name} ready`, 30_000, async () => {
            const found = await read(ns, name);
            return found?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") && found;
        });

    it("gives a container its command, environment, files and user, and nothing of the machine's own", async () => {
        const ns = await namespace("plain");
        await client.do(
            "apply",
            site,
            `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: ${ns}}
data: {colour: red}
---
apiVersion: v1
kind: Secret
metadata: {name: secret, namespace: ${ns}}
stringData: {password: hush}`,
        );
        await pod(
            ns,
            "one",
            `
  restartPolicy: Never
  securityContext: {fsGroup: 4000}
  containers:
    - name: main
      image: ${image}
      command: ${node(`
        const fs = require("fs"), os = require("os");
        const seen = (path) => { try { return fs.readdirSync(path); } catch (error) { return error.code; } };
        let system; try { fs.writeFileSync("/etc/anything", ""); system = "writable"; } catch (error) { system = error.code; }
        console.log(JSON.stringify({ uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), host: os.hostname(), env: process.env, system,
          password: fs.readFileSync("/etc/secret/password", "utf8"), mode: (fs.statSync("/etc/secret/password").mode & 0o777).toString(8),
          processes: fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).length, away: [SOURCE + "/.git", "/etc/shadow", "/var/lib/dpkg", STATE + "/ca"].map(seen), state: seen(STATE) , sandbox: seen(process.cwd() + "/sandbox"), model: seen(process.cwd() + "/model").length > 0 }));
      `)}
      securityContext: {runAsUser: 1234, runAsGroup: 1235, readOnlyRootFilesystem: true}
      env:
        - {name: COLOUR, valueFrom: {configMapKeyRef: {name: settings, key: colour}}}
        - {name: SENTENCE, value: "it is $(COLOUR), not $(NOTHING)"}
        - {name: ME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      volumeMounts: [{name: secret, mountPath: /etc/secret, readOnly: true}, {name: over, mountPath: STATE}, {name: over, mountPath: NODE}]
  volumes: [{name: secret, secret: {secretName: secret, defaultMode: 256}}, {name: over, emptyDir: {}}]`
                .replaceAll("STATE", `'${sandbox.directory}'`)
                .replaceAll("SOURCE", `'${source}'`)
                .replaceAll("NODE", `'${dirname(process.execPath)}'`),
        );
        await phase(ns, "one", "Succeeded");
        const saw = JSON.parse(await client.do("log", site, ns, "one", "main")) as Record<string, unknown> & {
            env: Record<string, string>;
        };
        assert.deepEqual([saw["uid"], saw["gid"]], [1234, 1235]);
        assert.ok((saw["groups"] as number[]).includes(4000));
        assert.equal(saw["host"], "one");
        assert.equal(saw.env["SENTENCE"], "it is red, not $(NOTHING)");
        assert.equal(saw.env["ME"], "one");
        assert.equal(saw.env["AWS_ACCESS_KEY_ID"], undefined);
        assert.equal(saw["password"], "hush");
        assert.equal(saw["mode"], "440");
        assert.equal(saw["system"], "EROFS");
        assert.equal(saw["processes"], 1);
        assert.deepEqual(saw["away"], ["ENOENT", "ENOENT", "ENOENT", "ENOENT"]);
        // Volumes over the places where this machine has the checkout and Node hide nothing of the image.
        assert.deepEqual(saw["state"], []);
        assert.equal(saw["sandbox"], "ENOENT");
        assert.equal(saw["model"], true);
    });

    it("starts a container again that was killed, and counts it", async () => {
        const ns = await namespace("restart");
        await pod(
            ns,
            "phoenix",
            `  containers: [{name: main, image: ${image}, command: ${node('console.log("born"); setInterval(() => {}, 1000)')}}]`,
        );
        await ready(ns, "phoenix");
        await until("its first words", 10_000, async () => (await client.do("log", site, ns, "phoenix", "main")) === "born\n");
        const script = "setInterval(() => {}, 1000)";
        const victim = readdirSync("/proc").find((entry) => {
            if (!/^\d+$/.test(entry)) return false;
            try {
                const [program, flag, code] = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
                return (
                    program === "node" &&
                    flag === "-e" &&
                    code === `console.log("born"); ${script}` &&
                    readFileSync(`/proc/${entry}/cgroup`, "utf8").includes(`lifeboat-${sandbox.name}-${site}`)
                );
            } catch {
                return false;
            }
        });
        assert.ok(victim, "the container's process is in the cgroup of its site");
        process.kill(Number(victim), "SIGKILL");
        const again = await until("the second run", 10_000, async () => {
            const [status] = (await read(ns, "phoenix"))?.status?.containerStatuses ?? [];
            return status?.restartCount === 1 && status.state?.running && status;
        });
        assert.equal(again.lastState?.terminated?.exitCode, 137);
        assert.equal(await client.do("log", site, ns, "phoenix", "main", true), "born\n");
    });

    it("backs off from a container that fails, and says so", async () => {
        const ns = await namespace("crash");
        await pod(ns, "stumbler", `  containers: [{name: main, image: ${image}, command: [sh, -c, "exit 3"]}]`);
        const status = await until("the back-off", 15_000, async () => {
            const [found] = (await read(ns, "stumbler"))?.status?.containerStatuses ?? [];
            return found?.state?.waiting?.reason === "CrashLoopBackOff" && found;
        });
        assert.equal(status.restartCount, 1);
        assert.equal(status.lastState?.terminated?.exitCode, 3);
        assert.match(status.state?.waiting?.message ?? "", /back-off 10s/);
    });

    it("runs native sidecars beside the work of a Job, and ends them after it", async () => {
        const ns = await namespace("sidecar");
        await client.do(
            "apply",
            site,
            `
apiVersion: batch/v1
kind: Job
metadata: {name: drill, namespace: ${ns}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      initContainers:
        - name: server
          image: ${image}
          restartPolicy: Always
          command: ${node('process.on("SIGTERM", () => process.exit(0)); setTimeout(() => require("http").createServer((q, r) => r.end("here")).listen(8080), 700)')}
          startupProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
      containers:
        - {name: work, image: ${image}, command: ${node('fetch("http://127.0.0.1:8080").then((r) => r.text()).then((text) => console.log("server says", text))')}}`,
        );
        await until(
            "the job",
            30_000,
            async () =>
                ((await client.do("read", site, "batch/v1", "Job", ns, "drill")).status as { succeeded?: number } | undefined)
                    ?.succeeded === 1,
        );
        const [finished] = await client.do("pods", site, ns);
        assert.equal(finished?.status?.phase, "Succeeded");
        assert.ok(finished.status.initContainerStatuses?.[0]?.state?.terminated, "the sidecar has ended");
        assert.equal(await client.do("log", site, ns, finished.metadata!.name!, "work"), "server says here\n");
    });

    it("serves only from pods that are ready, by the Service's name, cluster IP and load balancer", async () => {
        const ns = await namespace("serving");
        await client.do(
            "apply",
            site,
            `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: ${ns}}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: ${ns}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: main
          image: ${image}
          command: ${node('require("http").createServer((q, r) => { r.statusCode = q.url === "/ready" && !require("fs").existsSync("/tmp/ready") ? 503 : 200; r.end(require("os").hostname()); }).listen(8080)')}
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1, failureThreshold: 1}`,
        );
        const pods = await until("two pods", 20_000, async () => {
            const list = await client.do("pods", site, ns);
            return list.length === 2 && list.every(({ status }) => status?.phase === "Running") && list;
        });
        const service = await until("the load balancer's name", 10_000, async () => {
            const found = await client.do("read", site, "v1", "Service", ns, "web");
            return (found.status as { loadBalancer?: { ingress?: { hostname: string }[] } }).loadBalancer?.ingress && found;
        });
        const { hostname } = (service.status as { loadBalancer: { ingress: { hostname: string }[] } }).loadBalancer.ingress[0]!;
        const hex = /^serving-\d+-web-([0-9a-f]{8})\.elb\.us-west-2\.amazonaws\.com$/.exec(hostname)?.[1];
        assert.ok(hex, hostname);
        const balancer = [0, 2, 4, 6].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(".");
        assert.equal(await client.do("connect", balancer, 80, 1000), "refused");
        const [first, second] = pods as [(typeof pods)[number], (typeof pods)[number]];
        const touch = (name: string) => client.do("exec", site, ns, name, "main", ["touch", "/tmp/ready"]);
        assert.equal((await touch(first.metadata!.name!)).code, 0);
        await ready(ns, first.metadata!.name!);
        await until("an answer", 5000, () => client.do("fetch", `http://${balancer}/`, 1000).then(({ status }) => status === 200));
        for (let i = 0; i < 5; i++) assert.equal((await client.do("fetch", `http://${balancer}/`, 1000)).text, first.metadata!.name);
        await touch(second.metadata!.name!);
        await ready(ns, second.metadata!.name!);
        const who = await client.do("exec", site, ns, first.metadata!.name!, "main", [
            "node",
            "-e",
            'Promise.all(["web", "web.NS.svc", "web.NS.svc.cluster.local"].map((h) => fetch("http://" + h).then((r) => r.status))).then(console.log)'.replaceAll(
                "NS",
                ns,
            ),
        ]);
        assert.match(who.stdout, /\[ 200, 200, 200 \]/);
    });

    it("carries exec both ways, with the exit code", async () => {
        const ns = await namespace("talk");
        await pod(
            ns,
            "talker",
            `  containers: [{name: main, image: ${image}, command: [sleep, "1000"]}]\n  terminationGracePeriodSeconds: 0`,
        );
        await ready(ns, "talker");
        assert.deepEqual(await client.do("exec", site, ns, "talker", "main", ["sh", "-c", "cat; echo no >&2; exit 7"], "over the wire"), {
            code: 7,
            stdout: "over the wire",
            stderr: "no\n",
        });
    });

    it("gives the role of a ServiceAccount to its pods, and their own address to their calls", async () => {
        const ns = await namespace("identity");
        await client.do(
            "apply",
            site,
            `{apiVersion: v1, kind: ServiceAccount, metadata: {name: writer, namespace: ${ns}, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/writer"}}}`,
        );
        const script = `
            const token = require("fs").readFileSync(process.env.AWS_WEB_IDENTITY_TOKEN_FILE, "utf8");
            const [, claims] = token.split(".").map((part) => { try { return JSON.parse(Buffer.from(part, "base64url")); } catch { return undefined; } });
            const call = require("https").get({ host: "10.2.255.1", servername: "s3.us-west-2.amazonaws.com", headers: { host: "s3.us-west-2.amazonaws.com" } }, (answer) => {
                console.log(JSON.stringify({ role: process.env.AWS_ROLE_ARN, region: process.env.AWS_REGION, sts: process.env.AWS_STS_REGIONAL_ENDPOINTS, aud: claims.aud, iss: claims.iss, sub: claims.sub, status: answer.statusCode }));
                process.exit(0);
            });`;
        await until("the account", 5000, () => client.do("read", site, "v1", "ServiceAccount", ns, "writer").then(Boolean));
        const since = new Date().toISOString();
        await pod(
            ns,
            "caller",
            `  serviceAccountName: writer\n  restartPolicy: Never\n  containers: [{name: main, image: ${image}, command: ${node(script)}}]`,
        );
        const done = await phase(ns, "caller", "Succeeded");
        const said = JSON.parse(await client.do("log", site, ns, "caller", "main")) as Record<string, unknown>;
        const { sites } = JSON.parse(readFileSync(`${sandbox.directory}/account.json`, "utf8")) as {
            sites: Record<string, { oidcIssuer: string }>;
        };
        assert.deepEqual(said, {
            role: "arn:aws:iam::123456789012:role/writer",
            region: "us-west-2",
            sts: "regional",
            aud: ["sts.amazonaws.com"],
            iss: `https://${sites["standby"]!.oidcIssuer}`,
            sub: `system:serviceaccount:${ns}:writer`,
            // Unsigned: the gate refuses it, over TLS that the container trusts.
            status: 403,
        });
        const audit = (await sandbox.control("gate", "GET", `/audit?since=${since}`)) as { source: string; who: string }[];
        assert.ok(
            audit.some(({ source, who }) => source === done.status?.podIP && who === "pod:standby"),
            JSON.stringify(audit),
        );
    });

    it("makes Jobs of a CronJob's template, and stops a Job that takes too long", async () => {
        const ns = await namespace("cron");
        await client.do(
            "apply",
            site,
            `{apiVersion: batch/v1, kind: CronJob, metadata: {name: tick, namespace: ${ns}}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {activeDeadlineSeconds: 1, backoffLimit: 0, template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 0, containers: [{name: main, image: "${image}", command: [sleep, "60"]}]}}}}}}`,
        );
        const cron = await client.do("read", site, "batch/v1", "CronJob", ns, "tick");
        const template = (cron.spec as { jobTemplate: { spec: Record<string, unknown> } }).jobTemplate;
        await client.do("create", site, {
            apiVersion: "batch/v1",
            kind: "Job",
            metadata: { name: "tick-now", namespace: ns, annotations: { "cronjob.kubernetes.io/instantiate": "manual" } },
            spec: template.spec,
        });
        const failed = await until("the failure", 30_000, async () => {
            const job = await client.do("read", site, "batch/v1", "Job", ns, "tick-now");
            return (job.status as { conditions?: { type: string; reason: string }[] }).conditions?.find(({ type }) => type === "Failed");
        });
        assert.equal(failed.reason, "DeadlineExceeded");
    });

    it("does not run what it does not know, and names it", async () => {
        const ns = await namespace("refused");
        await pod(ns, "host", `  hostNetwork: true\n  containers: [{name: main, image: ${image}}]`);
        await pod(ns, "stranger", `  containers: [{name: main, image: "nginx:1"}]`);
        await pod(
            ns,
            "variable",
            `  containers: [{name: main, image: "mariadb:10.11", env: [{name: MARIADB_ROOT_PASSWORD, value: x}, {name: MARIADB_AUTO_UPGRADE, value: "1"}]}]`,
        );
        await pod(ns, "nowhere", `  nodeSelector: {lifeboat.dev/pool: moon}\n  containers: [{name: main, image: ${image}}]`);
        const waiting = (name: string) =>
            until(`${name} waits`, 10_000, async () => {
                const state = (await read(ns, name))?.status?.containerStatuses?.[0]?.state?.waiting;
                return state && !["PodInitializing", "ContainerCreating"].includes(state.reason ?? "") && state;
            });
        assert.deepEqual(await waiting("host"), {
            reason: "CreateContainerConfigError",
            message: "the sandbox's node does not know spec.hostNetwork",
        });
        assert.equal((await waiting("stranger")).reason, "ErrImagePull");
        assert.match((await waiting("variable")).message ?? "", /does not know MARIADB_AUTO_UPGRADE/);
        const unschedulable = await until("a verdict", 10_000, async () =>
            (await read(ns, "nowhere"))?.status?.conditions?.find(({ reason }) => reason === "Unschedulable"),
        );
        assert.equal(unschedulable.status, "False");
    });

    it("ends a pod that is deleted: TERM first, KILL when the grace is over, and the name is free", async () => {
        const ns = await namespace("leaving");
        const stubborn = node('process.on("SIGTERM", () => console.log("no")); setInterval(() => {}, 1000)');
        await pod(
            ns,
            "stubborn",
            `  terminationGracePeriodSeconds: 1\n  containers: [{name: main, image: ${image}, command: ${stubborn}}]`,
        );
        await ready(ns, "stubborn");
        const began = Date.now();
        await client.do("remove", site, "v1", "Pod", ns, "stubborn");
        await until("it is gone", 10_000, async () => (await client.do("pods", site, ns)).length === 0);
        assert.ok(Date.now() - began >= 900, "it was given its second");
        assert.throws(() => execFileSync("pgrep", ["-f", "^node -e process.on..SIGTERM.., .. => console.log..no"]), "no process is left");
    });
});
