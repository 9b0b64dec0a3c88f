import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as random from "@pulumi/random";
import { defineEstate } from "../../stores/estate.ts";
import { names } from "../../model/names.ts";
import { passwordNames } from "../../model/servers.ts";
import { primary } from "../../stacks/primary.ts";
import type { Site } from "../../stacks/site.ts";
import { standby } from "../../stacks/standby.ts";
import { account, record, type Recording } from "../support/program.ts";

/** An estate with the shape of ours, and numbers of its own. */
export const estate = defineEstate({
    name: "shop",
    domain: "shop.example",
    sites: { primary: { region: "us-east-1" }, standby: { region: "us-west-2" } },
    decision: "5 min",
    stores: {
        "shop-mysql": { engine: "mariadb", objective: { rto: "1 h", rpo: "15 min" }, backup: { every: "5 min" } },
        "shop-postgres": { engine: "postgres", objective: { rto: "1 h", rpo: "15 min" }, backup: { every: "10 min", lock: "3 d" } },
    },
    services: { shop: { image: "shop:1", needs: ["shop-mysql", "shop-postgres"], objective: { rto: "10 min", rpo: "5 s" }, pods: 3 } },
});

const inputs = {
    kubeContext: "here",
    subnetIds: ["subnet-1", "subnet-2"],
    securityGroupIds: ["sg-1"],
    certificateArn: `arn:aws:acm:here:${account}:certificate/1`,
    oidcProviderArn: `arn:aws:iam::${account}:oidc-provider/issuer.example/id/1`,
    oidcIssuer: "issuer.example/id/1",
    nodeImageId: "ami-1",
    nodeInstanceProfile: "nodes",
};

export const standbyIds = {
    zoneId: "Z123",
    bucketKeyArn: `arn:aws:kms:us-west-2:${account}:key/mrk-vault`,
    envelopeKeyArns: {
        "shop-mysql": `arn:aws:kms:us-west-2:${account}:key/mrk-mysql`,
        "shop-postgres": `arn:aws:kms:us-west-2:${account}:key/mrk-postgres`,
    },
};

/** Registers a site's program as stack `prod` or `dr` would. */
export function stand(stack: "prod" | "dr", o: { active: boolean; joined?: boolean; preview?: boolean }): Promise<Recording<unknown>> {
    const site = stack === "prod" ? "primary" : "standby";
    const secret = JSON.stringify(Object.fromEntries(passwordNames.map((user) => [user, `secret-${user}`])));
    const invokes = { "aws:secretsmanager/getSecretVersion:getSecretVersion": () => ({ secretString: secret }) };
    return record({ stack, preview: o.preview ?? false, invokes }, () => {
        const providers = {
            aws: new aws.Provider(site, { region: estate.sites[site].region }),
            kubernetes: new k8s.Provider(`${site}-cluster`, { context: site }),
            random: new random.Provider("random"),
        };
        const context: Site = {
            estate,
            names: names(estate, account),
            site,
            account,
            inputs: { ...inputs, site },
            active: o.active,
            providers,
        };
        return site === "primary" ? primary(context, standbyIds) : standby(context, o.joined ?? false);
    });
}
