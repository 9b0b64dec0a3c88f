/**
 * Annotations of a Service whose load balancer must exist before anybody answers behind it: the engine waits for its name alone, not for
 * endpoints, of which a passive site has none. Sources: https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/#pulumi_waitfor,
 * https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
 */
export const loadBalancerAnnotations = (scheme: "internal" | "internet-facing") => ({
    "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0].hostname}",
    "service.beta.kubernetes.io/aws-load-balancer-type": "external",
    "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": scheme,
});

/** TLS ends at the load balancer, with a certificate of the region's ACM. */
export const tlsAnnotations = (certificateArn: string) => ({
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert": certificateArn,
    "service.beta.kubernetes.io/aws-load-balancer-ssl-ports": "443",
    "service.beta.kubernetes.io/aws-load-balancer-backend-protocol": "tcp",
});

/** On what has no pods yet, or waits for its peer: `up` does not stay for it (the official provider would wait ten minutes for endpoints). */
export const doNotAwait = { "pulumi.com/skipAwait": "true" };
