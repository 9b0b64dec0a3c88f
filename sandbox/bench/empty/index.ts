import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as random from "@pulumi/random";

new aws.Provider("standby", { region: "us-west-2" });
new k8s.Provider("standby-cluster", { context: "standby" });
new random.Provider("random");
