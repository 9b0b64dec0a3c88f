/**
 * Imported before a provider is made. The Kubernetes SDK writes KUBECONFIG into its provider's inputs, and so this machine's path into the state: on any other machine, such as the
 * one that activates, it would be another provider, and a targeted update would replace it. The plugin reads the variable itself, and so does kubectl.
 */
Reflect.deleteProperty(process.env, "KUBECONFIG");
