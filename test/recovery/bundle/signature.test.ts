import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleCommands } from "../../../model/bundle.ts";
import { getScript } from "../../../recovery/bundle/get-script.ts";
import { startCommand } from "../../support/cli.ts";
import { estate } from "../doubles.ts";

const keys = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "sec/ret+x=" };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

/**
 * What S3 would find wrong with a signed GET; undefined where nothing is.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
function faultOf({ method, url, headers }: IncomingMessage): string | undefined {
    const header = (name: string) => headers[name] as string | undefined;
    const [, scope = "", signed = "", signature] =
        /Credential=[^/]+\/([^,]+), *SignedHeaders=([^,]+), *Signature=(\w+)/.exec(header("authorization") ?? "") ?? [];
    const names = signed.split(";");
    const content = header("x-amz-content-sha256");
    if (content === undefined) return "Missing required header for this request: x-amz-content-sha256";
    for (const name of Object.keys(headers)) if (name.startsWith("x-amz-") && !names.includes(name)) return `${name} is not signed`;
    const lines = names.map((name) => `${name}:${header(name)?.trim() ?? ""}`);
    const canonical = [method, url, "", ...lines, "", signed, content].join("\n");
    const [date = "", region = "", service = ""] = scope.split("/");
    const key = ["aws4_request"].reduce(hmac, [region, service].reduce(hmac, hmac(`AWS4${keys.AWS_SECRET_ACCESS_KEY}`, date)) as Buffer);
    const wanted = hmac(key, ["AWS4-HMAC-SHA256", header("x-amz-date"), scope, sha256(canonical)].join("\n")).toString("hex");
    if (`${region} ${service}` !== `${estate.sites.standby.region} s3`) return `it is signed for ${scope}`;
    if (names.some((name) => headers[name] === undefined)) return "a header is signed that did not come";
    return wanted === signature ? undefined : `SignatureDoesNotMatch: ${canonical}`;
}

describe("how a bundle is asked for with curl, by S3's own rules of signing", function () {
    this.timeout(20_000);
    let server: Server;
    let seen: { url: string; token: string | undefined; fault: string | undefined }[];
    let folder: string;
    before(async () => {
        server = createServer((request, response) => {
            const fault = faultOf(request);
            seen.push({ url: request.url ?? "", token: request.headers["x-amz-security-token"] as string | undefined, fault });
            response.writeHead(fault === undefined ? 404 : 403).end();
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
    });
    beforeEach(() => {
        seen = [];
        folder = mkdtempSync(join(tmpdir(), "lifeboat-signature-"));
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    after(() => server.close());
    const endpoint = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    for (const [what, token] of [
        ["with the token of an assumed role", "tok/en=="],
        ["with a user's own key", undefined],
    ] as const) {
        const env = () => ({ ...keys, AWS_SESSION_TOKEN: token, AWS_ENDPOINT_URL: endpoint(), AWS_ENDPOINT_URL_S3: undefined });

        it(`the runbook's line is signed well ${what}`, async () => {
            const { curl } = bundleCommands("bucket", estate.sites.standby.region);
            const line = curl.replace(/https:\/\/bucket\.s3\.[^/]+/, endpoint());
            assert.notEqual(line, curl);
            await startCommand(["sh", "-c", line], { cwd: folder, env: env() }).ended;
            assert.deepEqual(seen, [{ url: "/get.sh", token, fault: undefined }]);
        });

        it(`get.sh signs well ${what}`, async () => {
            const { code, stderr } = await startCommand(["sh", "-c", getScript(estate, "123456789012")], { cwd: folder, env: env() }).ended;
            assert.deepEqual(
                seen.map(({ token: sent, fault }) => [sent, fault]),
                [[token, undefined]],
            );
            assert.deepEqual([code, /holds no released bundle/.test(stderr)], [3, true], stderr);
        });
    }
});
