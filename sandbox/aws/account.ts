import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ACMClient, ImportCertificateCommand } from "@aws-sdk/client-acm";
import {
    DescribeImagesCommand,
    DescribeSecurityGroupsCommand,
    DescribeSubnetsCommand,
    DescribeVpcsCommand,
    EC2Client,
} from "@aws-sdk/client-ec2";
import { CreateInstanceProfileCommand, CreateOpenIDConnectProviderCommand, IAMClient } from "@aws-sdk/client-iam";
import { siteNames, type SiteName } from "../../model/estate.ts";
import { sandboxAccount } from "../addresses.ts";
import { oidcIssuer } from "./issuers.ts";
import { operatorKey } from "./principals.ts";

/** What a region has before Lifeboat declares anything in it. */
export interface AccountSite {
    readonly region: string;
    /** The default VPC and its subnets, one an availability zone. */
    readonly vpcId: string;
    readonly subnetIds: readonly string[];
    /** ACM certificate for the zone: the one that load balancers serve. */
    readonly certificateArn: string;
    readonly oidcProviderArn: string;
    /** Without `https://`. */
    readonly oidcIssuer: string;
    readonly nodeImageId: string;
    /** Name of the instance profile of nodes. */
    readonly nodeInstanceProfile: string;
    readonly securityGroupIds: readonly string[];
}
export interface AccountDocument {
    readonly account: string;
    readonly sites: Readonly<Record<SiteName, AccountSite>>;
}

export interface MakeAccountOptions {
    /** Of the sandbox: `ca/service.{pem,key}` are read, `account.json` is written. */
    readonly directory: string;
    readonly regions: Readonly<Record<SiteName, string>>;
    /** The stand-in. @default "http://127.0.0.1:5000" */
    readonly moto?: string;
}

/** Makes what an account has before Lifeboat comes to it: networks, a certificate a region, an OIDC provider a cluster. Once, in an empty stand-in. */
export async function makeAccount({ directory, regions, moto = "http://127.0.0.1:5000" }: MakeAccountOptions): Promise<AccountDocument> {
    const common = { endpoint: moto, credentials: { accessKeyId: operatorKey, secretAccessKey: "any" } };
    const iam = new IAMClient({ ...common, region: "us-east-1" });
    const [served, key] = await Promise.all([
        readFile(join(directory, "ca/service.pem"), "utf8"),
        readFile(join(directory, "ca/service.key")),
    ]);
    // The file has the certificate first and then its authority's: ACM takes them apart.
    const [certificate = "", chain = ""] = served.split(/(?<=-----END CERTIFICATE-----\n)/);
    const make = async (site: SiteName): Promise<AccountSite> => {
        const region = regions[site];
        const ec2 = new EC2Client({ ...common, region });
        const acm = new ACMClient({ ...common, region });
        const issuer = oidcIssuer(site, region);
        const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["true"] }] }));
        const vpcId = present(Vpcs?.[0]?.VpcId, "default VPC", region);
        const inVpc = [{ Name: "vpc-id", Values: [vpcId] }];
        const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ Filters: inVpc }));
        const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ Filters: inVpc }));
        const { Images } = await ec2.send(new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["amzn2-ami-hvm-*"] }] }));
        const imported = await acm.send(
            new ImportCertificateCommand({
                Certificate: Buffer.from(certificate),
                PrivateKey: key,
                CertificateChain: Buffer.from(chain.trimStart()),
            }),
        );
        const provider = await iam.send(
            new CreateOpenIDConnectProviderCommand({
                Url: `https://${issuer}`,
                ClientIDList: ["sts.amazonaws.com"],
                ThumbprintList: ["0".repeat(40)],
            }),
        );
        const profile = await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: `sandbox-node-${site}` }));
        return {
            region,
            vpcId,
            subnetIds: (Subnets ?? []).map((subnet) => present(subnet.SubnetId, "subnet", region)).sort(),
            certificateArn: present(imported.CertificateArn, "certificate", region),
            oidcProviderArn: present(provider.OpenIDConnectProviderArn, "OIDC provider", region),
            oidcIssuer: issuer,
            nodeImageId: present(Images?.map((image) => image.ImageId).sort()[0], "machine image", region),
            nodeInstanceProfile: present(profile.InstanceProfile?.InstanceProfileName, "instance profile", region),
            securityGroupIds: [
                present(SecurityGroups?.find((group) => group.GroupName === "default")?.GroupId, "default security group", region),
            ],
        };
    };
    const [primary, standby] = await Promise.all(siteNames.map(make));
    const document: AccountDocument = { account: sandboxAccount, sites: { primary: primary!, standby: standby! } };
    await writeFile(join(directory, "account.json"), `${JSON.stringify(document, undefined, 4)}\n`);
    return document;
}

function present<T>(value: T | undefined, what: string, region: string): T {
    if (value === undefined) throw new Error(`the stand-in has no ${what} in ${region}`);
    return value;
}
