import { hint } from '../../core/internal.js';
import { type Connection, invalidParams, type ServerSDK } from '../sdk/server-sdk.js';
import { acceptArguments } from '../tools/run-tool.js';
import type { ResourceContents } from '../tools/tool.js';
import { type PromptMessage, toMessages } from './prompt.js';
import type { Registry } from './registry.js';
import { readResource } from './resource.js';
import type { ToolCalls } from './tool-calls.js';

/** Who the server is, as clients see it. */
export interface ServerIdentity {
  readonly name: string;
  readonly version: string;
  readonly instructions?: string | undefined;
}

/** What a connection answers from. `registry` is asked once per request. */
export interface HandlerSources {
  readonly sdk: ServerSDK;
  readonly identity: ServerIdentity;
  readonly registry: () => Registry;
  readonly calls: ToolCalls;
  readonly onerror: (error: Error) => void;
}

/** Both protocol eras read these; tools and the rest may be added while clients are connected. */
const capabilities = {
  tools: { listChanged: true },
  resources: { listChanged: true },
  prompts: { listChanged: true },
  logging: {},
};

/** Makes the SDK's server for one connection or one HTTP request. */
export function createConnection(sources: HandlerSources): Connection {
  const { sdk, identity, onerror } = sources;
  const { name, version, instructions } = identity;
  const connection = new sdk.Server(
    { name, version },
    { capabilities, ...(instructions === undefined ? {} : { instructions }) },
  );
  connection.onerror = onerror;
  serveTools(connection, sources);
  serveResources(connection, sources);
  servePrompts(connection, sources);
  return connection;
}

function serveTools(connection: Connection, { sdk, registry, calls }: HandlerSources): void {
  connection.setRequestHandler('tools/list', () => ({ tools: listed(registry().tools) }));
  connection.setRequestHandler('tools/call', async ({ params }, context) => {
    const { tools } = registry();
    const entry = tools.get(params.name);
    if (!entry) throw new sdk.ProtocolError(invalidParams, unknown('tool', params.name, tools));
    const result = await calls.call(entry.item, params.arguments, context);
    return connection.projectCallToolResult(result, entry.description.outputSchema);
  });
}

function serveResources(connection: Connection, { sdk, registry, calls }: HandlerSources): void {
  connection.setRequestHandler('resources/list', () => ({ resources: listed(registry().resources) }));
  connection.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  connection.setRequestHandler('resources/read', async ({ params }, context) => {
    const entry = registry().resources.get(params.uri);
    if (!entry) throw new sdk.ResourceNotFoundError(params.uri);
    const read = (): Promise<ResourceContents> => readResource(entry.item);
    return { contents: [await calls.read(`Resource '${params.uri}'`, context, read, internalError(sdk))] };
  });
}

function servePrompts(connection: Connection, { sdk, registry, calls }: HandlerSources): void {
  connection.setRequestHandler('prompts/list', () => ({ prompts: listed(registry().prompts) }));
  connection.setRequestHandler('prompts/get', async ({ params }, context) => {
    const { prompts } = registry();
    const entry = prompts.get(params.name);
    if (!entry) throw new sdk.ProtocolError(invalidParams, unknown('prompt', params.name, prompts));
    const { name, description, handler } = entry.item;
    const accepted = await acceptArguments(`prompt '${name}'`, entry.item.input, params.arguments).catch(
      (error: Error) => {
        throw new sdk.ProtocolError(invalidParams, error.message);
      },
    );
    const write = async (): Promise<readonly PromptMessage[]> => toMessages(await handler(accepted));
    const messages = await calls.read(`Prompt '${name}'`, context, write, internalError(sdk));
    return { ...(description === undefined ? {} : { description }), messages };
  });
}

function internalError(sdk: ServerSDK): (text: string) => Error {
  return (text) => new sdk.ProtocolError(-32603, text);
}

function listed<D>(entries: ReadonlyMap<string, { readonly description: D }>): D[] {
  return Array.from(entries.values(), ({ description }) => description);
}

function unknown(kind: string, name: string, known: ReadonlyMap<string, unknown>): string {
  return `Unknown ${kind} '${name.slice(0, 128)}'${hint(name.slice(0, 128), [...known.keys()].slice(0, 20))}`;
}
