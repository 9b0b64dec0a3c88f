import { delimiter, dirname, join } from "node:path";
import type { Estate } from "../model/estate.ts";
import { names } from "../model/names.ts";
import { sandboxAccount } from "./addresses.ts";
import { operatorKey } from "./aws/principals.ts";
import { tools } from "./tools.ts";

/**
 * What a command inside a sandbox is given. With it plain clients (AWS CLI, kubectl, pulumi, dig) need no other setting: names lead to the
 * sandbox's endpoints, and its certificate authority is trusted.
 * @param engine what `prepareEngine` returned
 */
export function sandboxEnvironment(options: {
    name: string;
    directory: string;
    estate: Estate;
    engine: Readonly<Record<string, string>>;
}): Record<string, string> {
    const { name, directory, estate, engine } = options;
    const region = estate.sites.standby.region;
    const bundle = "/etc/ssl/certs/ca-certificates.crt";
    const absent = "/dev/null";
    return {
        ...engine,
        PATH: [join(directory, "bin"), dirname(tools.node), dirname(tools.kubectl), process.env["PATH"] ?? "/usr/bin:/bin"].join(delimiter),
        KUBECONFIG: join(directory, "kubeconfig"),
        AWS_ACCESS_KEY_ID: operatorKey,
        AWS_SECRET_ACCESS_KEY: "sandbox",
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        // A person's own profiles and keys have no business in here.
        AWS_CONFIG_FILE: absent,
        AWS_SHARED_CREDENTIALS_FILE: absent,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_PAGER: "",
        AWS_CA_BUNDLE: bundle,
        NODE_EXTRA_CA_CERTS: bundle,
        SSL_CERT_FILE: bundle,
        PULUMI_BACKEND_URL: `s3://${names(estate, sandboxAccount).stateBucket}?region=${region}&awssdk=v2`,
        LIFEBOAT_ACCOUNT: sandboxAccount,
        LIFEBOAT_SANDBOX: name,
    };
}

/** The caller's environment without whatever would lead a client to a real cloud or cluster. */
export function neutral(environment: NodeJS.ProcessEnv): Record<string, string> {
    const foreign = /^(AWS_|PULUMI_|KUBE|LIFEBOAT_|https?_proxy$|HTTPS?_PROXY$|all_proxy$|ALL_PROXY$)/;
    return Object.fromEntries(
        Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0])),
    );
}
