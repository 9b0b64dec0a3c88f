/**
 * The provider half of the engine's plugin protocol: all of it that does not depend on what is managed.
 * Source: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto
 */
import { createRequire } from "node:module";
import type { Any } from "google-protobuf/google/protobuf/any_pb.js";
import grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import { loadPulumiEmpty } from "../engine/empty.ts";
import { differences, topOf, within, type Difference } from "./differences.ts";
import { NotReady, type Provider, type ResourceType, type Subject } from "./provider.ts";
import { decode, encode, unknown, type Props } from "./values.ts";

const Empty = loadPulumiEmpty();
const require = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi/package.json"));
const { Any: AnyMessage } = require("google-protobuf/google/protobuf/any_pb.js") as { Any: typeof Any };
const { DiffChanges } = messages.DiffResponse;
const { Kind } = messages.PropertyDiff;

/** `URN = urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME` */
function subjectOf(urn: string, timeoutSeconds = 0): Subject {
    const [, , types = "", ...name] = urn.split("::");
    return { urn, type: types.split("$").at(-1)!, name: name.join("::"), timeoutSeconds };
}

/** An error as a person reads it: what, where, and what to do next. */
function explain(provider: Provider, doing: string, subject: Subject, error: unknown): string {
    const what =
        error instanceof Error
            ? ["Error", "NotReady"].includes(error.name)
                ? error.message
                : `${error.name}: ${error.message}`
            : String(error);
    return `${subject.type} "${subject.name}" could not be ${doing}: ${what}\n  resource: ${subject.urn}\n  next: ${provider.nextStep(error)}`;
}

/** Partial failure travels in the magic trailer of rich gRPC errors; see grpcResponseFromError of @pulumi/pulumi/provider/server. */
function partial(message: string, error: NotReady, secrets: readonly string[]): Partial<grpc.ServiceError> {
    const detail = new messages.ErrorResourceInitFailed();
    detail.setId(error.id);
    detail.setProperties(encode(error.state, secrets));
    detail.setInputs(encode(error.inputs));
    // The engine shows these, and not the message.
    detail.setReasonsList([message]);
    const any = new AnyMessage();
    any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const rich = new status.Status();
    rich.setCode(grpc.status.UNKNOWN);
    rich.setMessage(message);
    rich.addDetails(any);
    const metadata = new grpc.Metadata();
    metadata.add("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
    return { code: grpc.status.UNKNOWN, message, metadata };
}

const unary =
    <Request, Response>(answer: (request: Request) => Response | Promise<Response>): grpc.handleUnaryCall<Request, Response> =>
    (call, reply) => {
        Promise.resolve()
            .then(() => answer(call.request))
            .then(
                (response) => reply(null, response),
                (error: unknown) => {
                    const failure = error as Partial<grpc.ServiceError>;
                    const trailer = failure.metadata instanceof grpc.Metadata ? failure.metadata : undefined;
                    reply(
                        { code: grpc.status.UNKNOWN, message: failure.message ?? String(error), ...(trailer && { metadata: trailer }) },
                        null,
                        trailer,
                    );
                },
            );
    };

function checkFailure(property: string, reason: string): messages.CheckFailure {
    const failure = new messages.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
}

const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
} as const;

/** Everything that the engine may call, over one provider's table. */
function handlers(provider: Provider) {
    const typeOf = (subject: Subject): ResourceType => {
        const type = provider.type(subject.type);
        if (type) return type;
        throw new Error(
            `the ${provider.name} stand-in has no type ${subject.type}\n  resource: ${subject.urn}\n  next: take a type of its table, or add it to sandbox/providers`,
        );
    };
    /** Runs an effect; what it throws says type, URN and next step. */
    const guarded = async <T>(doing: string, subject: Subject, secrets: readonly string[], effect: () => Promise<T>): Promise<T> => {
        try {
            return await effect();
        } catch (error) {
            const message = explain(provider, doing, subject, error instanceof NotReady ? (error.cause ?? error) : error);
            // eslint-disable-next-line @typescript-eslint/only-throw-error -- gRPC answers with a status that carries details, which is no Error
            throw error instanceof NotReady ? partial(message, error, secrets) : new Error(message, { cause: error });
        }
    };
    const ignoring = (found: Difference[], ignored: string[]): Difference[] =>
        found.filter(({ path }) => !ignored.some((prefix) => within(path, prefix)));

    const impl = {
        handshake: unary(() => new messages.ProviderHandshakeResponse()),
        attach: unary(() => new Empty()),
        cancel: unary(() => {
            provider.cancel?.();
            return new Empty();
        }),
        getPluginInfo: unary(() => {
            const info = new plugin.PluginInfo();
            info.setVersion(provider.version);
            return info;
        }),
        checkConfig: unary((request: messages.CheckRequest) => {
            const response = new messages.CheckResponse();
            response.setInputs(request.getNews());
            const known = new Set([...provider.settings, "version", "pluginDownloadURL"]);
            response.setFailuresList(
                Object.keys(decode(request.getNews()))
                    .filter((name) => !known.has(name))
                    .map((name) =>
                        checkFailure(
                            name,
                            `the ${provider.name} stand-in has no setting "${name}"; it has ${provider.settings.join(", ")}`,
                        ),
                    ),
            );
            return response;
        }),
        // A changed setting must count, or the engine goes on with the old configuration for the whole run.
        diffConfig: unary((request: messages.DiffRequest) => {
            const tops = new Set(
                [...differences(decode(request.getOldInputs()), decode(request.getNews()))].map(({ path }) => topOf(path)),
            );
            const response = new messages.DiffResponse();
            response.setChanges(tops.size > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
            response.setDiffsList([...tops]);
            response.setReplacesList([...tops].filter((top) => provider.decisive?.includes(top)));
            return response;
        }),
        configure: unary(async (request: messages.ConfigureRequest) => {
            await provider.configure(decode(request.getArgs()));
            const response = new messages.ConfigureResponse();
            response.setSupportspreview(true);
            return response;
        }),
        check: unary((request: messages.CheckRequest) => {
            const subject = subjectOf(request.getUrn());
            const random = request.getRandomseed_asU8();
            const { inputs, failures } = typeOf(subject).check(subject, decode(request.getOlds()), decode(request.getNews()), random);
            const response = new messages.CheckResponse();
            response.setInputs(encode(inputs));
            response.setFailuresList(failures.map(({ property, reason }) => checkFailure(property, reason)));
            return response;
        }),
        diff: unary((request: messages.DiffRequest) => {
            const type = typeOf(subjectOf(request.getUrn()));
            const [olds, news] = [decode(request.getOldInputs()), decode(request.getNews())];
            const found = ignoring([...differences(olds, news)], request.getIgnorechangesList());
            const response = new messages.DiffResponse();
            const replaces = new Set<string>();
            for (const difference of found) {
                const replace = type.replaces(difference, olds, news);
                if (replace) replaces.add(topOf(difference.path));
                const detail = new messages.PropertyDiff();
                detail.setKind(kinds[difference.kind][replace ? 1 : 0]);
                detail.setInputdiff(true);
                response.getDetaileddiffMap().set(difference.path, detail);
            }
            response.setHasdetaileddiff(true);
            response.setChanges(found.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
            response.setDiffsList([...new Set(found.map(({ path }) => topOf(path)))]);
            response.setReplacesList([...replaces]);
            response.setDeletebeforereplace(replaces.size > 0 && type.deletesFirst(olds, news));
            return response;
        }),
        create: unary(async (request: messages.CreateRequest) => {
            const subject = subjectOf(request.getUrn(), request.getTimeout());
            const type = typeOf(subject);
            const inputs = decode(request.getProperties());
            const response = new messages.CreateResponse();
            if (request.getPreview()) {
                const computed = Object.fromEntries(
                    type.outputs.filter((name) => inputs[name] === undefined).map((name) => [name, unknown]),
                );
                response.setProperties(encode(type.foresee?.(inputs, undefined) ?? { ...computed, ...inputs }, type.secrets));
                return response;
            }
            const { id, state } = await guarded("created", subject, type.secrets ?? [], () => type.create(subject, inputs));
            response.setId(id);
            response.setProperties(encode(state, type.secrets));
            return response;
        }),
        update: unary(async (request: messages.UpdateRequest) => {
            const subject = subjectOf(request.getUrn(), request.getTimeout());
            const type = typeOf(subject);
            const [olds, news] = [decode(request.getOlds()), decode(request.getNews())];
            const oldInputs = decode(request.getOldInputs());
            const response = new messages.UpdateResponse();
            if (request.getPreview()) {
                const kept = Object.fromEntries(
                    Object.entries(olds).filter(([name]) => !(name in oldInputs) || type.outputs.includes(name)),
                );
                const moved = type.volatile?.([...differences(oldInputs, news)]) ?? [];
                const foreseen = type.foresee?.(news, olds) ?? { ...kept, ...news };
                response.setProperties(encode({ ...foreseen, ...Object.fromEntries(moved.map((name) => [name, unknown])) }, type.secrets));
                return response;
            }
            const state = await guarded("updated", subject, type.secrets ?? [], () => type.update(subject, request.getId(), olds, news));
            response.setProperties(encode(state, type.secrets));
            return response;
        }),
        read: unary(async (request: messages.ReadRequest) => {
            const subject = subjectOf(request.getUrn());
            const type = typeOf(subject);
            const given = (props: Props): Props | undefined => (Object.keys(props).length > 0 ? props : undefined);
            const [inputs, state] = [given(decode(request.getInputs())), given(decode(request.getProperties()))];
            const found = await guarded("read", subject, type.secrets ?? [], () => type.read(subject, request.getId(), inputs, state));
            const response = new messages.ReadResponse();
            if (!found) return response;
            response.setId(found.id);
            response.setInputs(encode(found.inputs));
            response.setProperties(encode(found.state, type.secrets));
            return response;
        }),
        delete: unary(async (request: messages.DeleteRequest) => {
            const subject = subjectOf(request.getUrn(), request.getTimeout());
            const type = typeOf(subject);
            await guarded("deleted", subject, [], () => type.delete(subject, request.getId(), decode(request.getProperties())));
            return new Empty();
        }),
        invoke: unary(async (request: messages.InvokeRequest) => {
            const token = request.getTok();
            const found = await provider.invoke?.(token, decode(request.getArgs())).catch((error: unknown) => {
                throw new Error(
                    `${token}: ${error instanceof Error ? error.message : String(error)}\n  next: ${provider.nextStep(error)}`,
                    { cause: error },
                );
            });
            if (!found)
                throw new Error(
                    `the ${provider.name} stand-in has no function ${token}\n  next: take one of its table, or add it to sandbox/providers`,
                );
            const response = new messages.InvokeResponse();
            response.setReturn(encode(found.result, found.secrets));
            return response;
        }),
    };
    return impl;
}

/** Serves the provider on a free port of the loopback, and prints the port as the engine expects. */
export function serve(provider: Provider): void {
    const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
    server.addService(
        service.ResourceProviderService as unknown as grpc.ServiceDefinition,
        handlers(provider) as unknown as grpc.UntypedServiceImplementation,
    );
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error) throw error;
        process.stdout.write(`${port}\n`);
    });
    // The engine asks with Cancel, then interrupts its plugins (in a process group of their own, so a person's Ctrl-C is not seen here) and kills after 5 s.
    process.once("SIGINT", () => process.exit(0));
}
