import type { Provider, ResourceType } from "../provider.ts";
import { randomIdType } from "./id.ts";
import { randomPasswordType } from "./password.ts";

const types: Readonly<Record<string, ResourceType>> = {
    "random:index/randomId:RandomId": randomIdType,
    "random:index/randomPassword:RandomPassword": randomPasswordType,
};

/** Stand-in for the official random provider: it speaks to no service, so its resources live in the state alone. */
export const randomProvider: Provider = {
    name: "random",
    version: "4.21.2",
    settings: [],
    configure: () => undefined,
    type: (token) => types[token],
    nextStep: () => "correct the resource's inputs and run the command again",
};
