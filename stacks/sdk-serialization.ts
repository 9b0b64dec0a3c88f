import { createRequire, Module } from "node:module";

/**
 * Imported before Pulumi's SDK, which loads TypeScript's compiler and npm's Arborist at once, for programs that hand functions to the cloud: a tenth of a preview's time.
 * This program hands over none. Either is loaded when it is first used.
 */
const load = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));

for (const name of ["typescript", "@npmcli/arborist"]) {
    const path = load.resolve(name);
    if (load.cache[path]) continue;
    const late = new Module(path);
    late.loaded = true;
    late.exports = new Proxy(
        {},
        {
            get(_, property) {
                // The SDK's imports ask for this at once, and copy a module that does not say it.
                if (property === "__esModule") return true;
                if (load.cache[path] === late) Reflect.deleteProperty(load.cache, path);
                return Reflect.get(load(name) as object, property) as unknown;
            },
        },
    );
    load.cache[path] = late;
}
