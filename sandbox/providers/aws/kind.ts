import { autoname } from "../naming.ts";
import { topOf } from "../differences.ts";
import { NotReady, type Failing, type ResourceType, type Subject } from "../provider.ts";
import { isDeepStrictEqual } from "node:util";
import { isUnknown, record, text, type Props } from "../values.ts";
import { overlook } from "./moto-faults.ts";
import { isAbsent, type Services } from "./services.ts";
import { misfitFields, same, tagMap, words, type Fields } from "./shape.ts";
import type { Call, Entry } from "./table.ts";

/** Absent means the provider's: never a difference. */
const region = words(undefined, { computed: true });

/** Makes the protocol's half of an entry of the table. */
export function resourceType(token: string, entry: Entry, services: () => Services): ResourceType {
    const { named } = entry;
    const prefix = named?.prefixed ? `${named.property}Prefix` : undefined;
    const fields: Fields = {
        ...entry.fields,
        ...(!entry.global && { region }),
        ...(entry.tagged && { tags: tagMap() }),
        ...(prefix !== undefined && { [prefix]: words() }),
    };
    const untold = new Set([...(entry.untold ?? []), ...(prefix === undefined ? [] : [prefix])]);
    const computed = Object.entries(entry.fields)
        .filter(([, shape]) => shape.computed)
        .map(([name]) => name);
    const outputs = [...(entry.outputs ?? []), ...computed, ...(entry.global ? [] : ["region"]), ...(entry.tagged ? ["tagsAll"] : [])];
    const replace = new Set([...(entry.replace ?? []), ...(entry.global ? [] : ["region"]), ...(named ? [named.property] : [])]);

    const callOf = (subject: Subject, id: string, inputs: Props, state: Props, olds: Props = {}): Call => ({
        aws: services(),
        region: text(inputs["region"] ?? state["region"] ?? services().settings.region),
        name: subject.name,
        id,
        inputs,
        state,
        tags: { ...services().settings.defaultTags, ...(record(inputs["tags"]) as Record<string, string>) },
        changed: (...names) => names.some((name) => !isDeepStrictEqual(olds[name], inputs[name])),
        made: () => undefined,
    });

    /** Inputs in the program's own words where the service means the same, and all that only the service knows. */
    const stateOf = (call: Call, found: Props): Props => {
        const live = overlook(token, call.inputs, found);
        const state: Props = {};
        for (const [name, shape] of Object.entries(fields)) {
            if ((entry.tagged && name === "tags") || name === "region") continue;
            const given = call.inputs[name];
            const value = untold.has(name) || (given !== undefined && same(shape, given, live[name])) ? given : live[name];
            if (value !== undefined) state[name] = value;
        }
        for (const name of entry.outputs ?? []) if (live[name] !== undefined) state[name] = live[name];
        if (!entry.global) state["region"] = call.region;
        if (entry.tagged) {
            const all = record(live["tags"]) as Record<string, string>;
            const own = Object.fromEntries(
                Object.entries(all).filter(
                    ([key, value]) => key in record(call.inputs["tags"]) || call.aws.settings.defaultTags[key] !== value,
                ),
            );
            state["tagsAll"] = all;
            if (Object.keys(own).length > 0 || call.inputs["tags"] !== undefined) state["tags"] = own;
        }
        return state;
    };
    const readState = async (call: Call): Promise<Props | undefined> => {
        const found = await entry.read(call);
        return found && stateOf(call, found);
    };
    const gone = (id: string) => new Error(`it was made as ${id} and cannot be found`);

    return {
        outputs,
        ...(entry.secrets && { secrets: entry.secrets }),
        ...(entry.volatile && { volatile: (found) => entry.volatile!(found) }),

        check(subject, olds, news, random) {
            const failures: Failing[] = [...misfitFields(fields, news)].map(({ path, reason }) => ({ property: path, reason }));
            const inputs = { ...news };
            if (named && inputs[named.property] === undefined) {
                const start = prefix === undefined ? undefined : inputs[prefix];
                const fresh =
                    start === undefined
                        ? autoname(subject.name, random, 7, named.limit)
                        : `${text(start)}${Buffer.from(random).toString("hex").slice(0, 16)}`;
                // A name that was given by us before stays; one that the program gave and then took back does too, as the official provider does.
                inputs[named.property] = olds[named.property] ?? (named.form ? named.form(fresh) : fresh);
            }
            for (const property of entry.required ?? [])
                if (inputs[property] === undefined) failures.push({ property, reason: `${token} needs "${property}"` });
            failures.push(...(entry.check?.(inputs) ?? []));
            return { inputs, failures };
        },
        replaces: ({ path }) => !entry.update || replace.has(topOf(path)),
        deletesFirst: (olds, news) =>
            named === undefined || olds[named.property] === news[named.property] || isUnknown(news[named.property]),

        async create(subject, inputs) {
            let id: string | undefined;
            const call: Call = { ...callOf(subject, "", inputs, {}), made: (value) => (id = value) };
            try {
                id = await entry.create(call);
                const state = await readState({ ...call, id });
                if (!state) throw gone(id);
                return { id, state };
            } catch (error) {
                if (id === undefined) throw error;
                const message = error instanceof Error ? error.message : String(error);
                throw new NotReady(message, { id, inputs, state: { ...inputs, region: call.region } }, { cause: error });
            }
        },
        async read(subject, id, inputs, state) {
            const call = callOf(subject, id, inputs ?? {}, state ?? {});
            const now = await readState(call);
            if (!now) return undefined;
            const read: Props = {};
            for (const [name, shape] of Object.entries(fields)) {
                const [given, live] = [inputs?.[name], now[name]];
                if (name === "region" || untold.has(name)) read[name] = given;
                else if (
                    inputs === undefined ? !shape.computed && live !== shape.assumed : given !== undefined || !same(shape, given, live)
                )
                    read[name] = live;
            }
            return {
                id,
                inputs: Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)),
                state: { ...untoldOf(state), ...now },
            };
        },
        async update(subject, id, olds, news) {
            const call = callOf(subject, id, news, olds, olds);
            await entry.update!(call);
            const state = await readState(call);
            if (!state) throw gone(id);
            return state;
        },
        async delete(subject, id, state) {
            try {
                await entry.delete(callOf(subject, id, state, state));
            } catch (error) {
                if (!isAbsent(error)) throw error;
            }
        },
    };

    function untoldOf(state: Props | undefined): Props {
        return Object.fromEntries(Object.entries(state ?? {}).filter(([name]) => untold.has(name)));
    }
}
