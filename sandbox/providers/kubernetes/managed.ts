import { isRecord, text, type Props, type Value } from "../values.ts";

/** Suffixes of a quantity. Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const scales: Record<string, number> = {
    "": 1,
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
};
function quantity(value: Value): number | undefined {
    const [, number, suffix] = /^([+-]?\d+(?:\.\d+)?)(m|k|[MGTP]i?|Ki)?$/.exec(text(value)) ?? [];
    return number === undefined ? undefined : Number(number) * scales[suffix ?? ""]!;
}

/** What tells the items of a list apart, as the API's merge keys do. */
const mergeKeys = ["name", "mountPath", "containerPort", "port", "topologyKey", "ip"];
const keyOf = (items: Value[]): string | undefined =>
    mergeKeys.find(
        (key) =>
            items.every((item) => isRecord(item) && item[key] !== undefined) &&
            new Set(items.map((item) => text((item as Props)[key]))).size === items.length,
    );

/** What the API server drops or leaves out as meaning nothing. */
const meansNothing = (value: Value): boolean =>
    value === null ||
    value === undefined ||
    value === "" ||
    value === false ||
    value === 0 ||
    (typeof value === "object" && Object.values(value).every(meansNothing));

/**
 * The live values of just those fields that the program gave: what others put beside them (defaults, controllers) is theirs, and no drift of ours, as
 * server-side apply has it. A value that means the same keeps the program's spelling.
 * Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function managed(given: Value, live: Value): Value {
    if (live === undefined || live === null) return meansNothing(given) ? given : undefined;
    if (Array.isArray(given)) {
        if (!Array.isArray(live)) return live;
        const key = keyOf(given);
        if (key !== undefined && keyOf(live) !== undefined) {
            const found = given.map((item) =>
                managed(
                    item,
                    live.find((other) => isRecord(other) && text(other[key]) === text((item as Props)[key])),
                ),
            );
            return found.filter((item) => item !== undefined);
        }
        return given.length === live.length ? given.map((item, index) => managed(item, live[index])) : live;
    }
    if (isRecord(given)) {
        if (!isRecord(live)) return live;
        const out: Props = {};
        for (const [name, value] of Object.entries(given)) {
            const kept = managed(value, live[name]);
            if (kept !== undefined) out[name] = kept;
        }
        return out;
    }
    if (given === live || text(given) === text(live)) return given;
    const [mine, theirs] = [quantity(given), quantity(live)];
    return mine !== undefined && mine === theirs ? given : live;
}

/** A Secret's `stringData` is written only; it is read back in `data`, in base64. */
export function managedObject(given: Props, live: Props): Props {
    const data = isRecord(live["data"]) ? live["data"] : {};
    const readable: Props = { ...live };
    if (isRecord(given["stringData"]))
        readable["stringData"] = Object.fromEntries(
            Object.keys(given["stringData"])
                .filter((name) => data[name] !== undefined)
                .map((name) => [name, Buffer.from(text(data[name]), "base64").toString("utf8")]),
        );
    return managed(given, readable) as Props;
}
