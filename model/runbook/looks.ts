import type { Estate, SiteName } from "../estate.ts";
import { names } from "../names.ts";

/** Commands that show something and change nothing. */
export function looks(estate: Estate) {
    const name = names(estate, "");
    const services = Object.entries(estate.services);
    const ask = (host: string, path: string) => `curl -sS -o /dev/null -w '%{http_code}\\n' https://${host}${path}`;
    const kubectl = (site: SiteName) => `kubectl --context ${site} -n ${name.namespace}`;
    return {
        kubectl,
        /** What users get of each service: 200 is right. */
        users: services.map(([service, { healthPath }]) => ask(name.serviceHost(service), healthPath)),
        /** The same under the names of one site. */
        site: (site: SiteName) => services.map(([service, { healthPath }]) => ask(name.siteServiceHost(service, site), healthPath)),
        /** Where users are led to. */
        addresses: services.map(([service]) => `dig +short ${name.serviceHost(service)}`),
        siteAddresses: (site: SiteName) => services.map(([service]) => `dig +short ${name.siteServiceHost(service, site)}`),
        /** Role, lag, position and lease of a store's server, as its guard knows them. */
        guard: (site: SiteName, store: string) => `${kubectl(site)} exec ${store}-0 -c guard -- lifeboat guard ${store} --status`,
        capacity: (site: SiteName) => `${kubectl(site)} get deployments,cronjobs`,
    };
}
