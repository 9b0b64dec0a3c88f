import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, connect } from "node:tls";
import { ACMClient, GetCertificateCommand } from "@aws-sdk/client-acm";
import { DescribeSubnetsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { makeAccount } from "../../../sandbox/aws/account.ts";
import { makeAuthority } from "../../../sandbox/aws/authority.ts";
import { startMoto } from "../../support/moto.ts";
import { direct, regions } from "./fixture.ts";

describe("account before Lifeboat", function () {
    this.timeout(120_000);
    let directory: string;
    let moto: Awaited<ReturnType<typeof startMoto>>;
    before(async () => {
        directory = mkdtempSync(join(tmpdir(), "account-"));
        [moto] = await Promise.all([startMoto(), makeAuthority(directory, { regions: Object.values(regions), domain: "orders.example" })]);
    });
    after(async () => {
        await moto.stop();
        rmSync(directory, { recursive: true });
    });

    it("has a network, a certificate and an identity provider a site, and says so in account.json", async () => {
        const made = await makeAccount({ directory, regions, moto: moto.url });
        assert.deepEqual(JSON.parse(readFileSync(join(directory, "account.json"), "utf8")), made);
        for (const site of ["primary", "standby"] as const) {
            const { region, subnetIds, certificateArn, vpcId, oidcProviderArn, oidcIssuer, ...rest } = made.sites[site];
            assert.equal(region, regions[site]);
            const { Subnets } = await new EC2Client(direct(moto.url, region)).send(
                new DescribeSubnetsCommand({ SubnetIds: [...subnetIds] }),
            );
            assert.ok(Subnets!.length >= 2 && Subnets!.every((subnet) => subnet.VpcId === vpcId));
            const { Certificate } = await new ACMClient(direct(moto.url, region)).send(
                new GetCertificateCommand({ CertificateArn: certificateArn }),
            );
            assert.ok(readFileSync(join(directory, "ca/service.pem"), "utf8").startsWith(Certificate!.trim()));
            assert.equal(oidcProviderArn, `arn:aws:iam::123456789012:oidc-provider/${oidcIssuer}`);
            assert.match(rest.nodeImageId, /^ami-/);
            assert.equal(rest.securityGroupIds.length, 1);
        }
    });

    const handshake = async (certificate: string, servername: string) => {
        const server = createServer({
            cert: readFileSync(join(directory, `ca/${certificate}.pem`)),
            key: readFileSync(join(directory, `ca/${certificate}.key`)),
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as { port: number };
        const socket = connect({ port, host: "127.0.0.1", servername, ca: readFileSync(join(directory, "ca/bundle.pem")) });
        try {
            await new Promise((resolve, reject) => socket.on("secureConnect", resolve).on("error", reject));
        } finally {
            socket.destroy();
            await new Promise((resolve) => server.close(resolve));
        }
    };

    it("has certificates for the names of the endpoints and of the zone, and for no others", async () => {
        for (const name of [
            "iam.amazonaws.com",
            "kms.us-west-2.amazonaws.com",
            "b.s3.us-east-1.amazonaws.com",
            "b.s3.amazonaws.com",
            "s3.us-west-2.amazonaws.com",
        ])
            await handshake("gate", name);
        for (const name of ["orders.orders.example", "orders.us-east-1.orders.example"]) await handshake("service", name);
        await assert.rejects(handshake("gate", "kms.eu-west-1.amazonaws.com"), /altnames/);
        await assert.rejects(handshake("service", "elsewhere.example"), /altnames/);
    });
});
