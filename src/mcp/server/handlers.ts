import type { Awaitable } from '../../core/index.js';
import { describeError, hint } from '../../core/internal.js';
import { connectionClass } from '../sdk/connection-class.js';
import { type Era, invalidParams, type RPCParams, type ServerSDK } from '../sdk/server-sdk.js';
import { acceptArguments } from '../tools/run-tool.js';
import type { ToolResult } from '../tools/tool.js';
import { ToolError } from '../tools/tool-error.js';
import { failedResult } from '../tools/tool-result.js';
import { whenReady } from '../tools/when-ready.js';
import { toListHints } from './cache-hint.js';
import { isModern } from './call-context.js';
import type { InputRequired } from './call-state.js';
import { complete } from './completion.js';
import { listPage } from './list-page.js';
import { type Prompt, toMessages } from './prompt.js';
import { serveResources } from './resource-handlers.js';
import type { ConnectionSettings, HandlerSources, Served } from './served.js';
import { knowsTasks, serveTasks, tasksCapability, tasksExtension } from './task-handlers.js';
import type { Incoming } from './tool-calls.js';

/** Both protocol eras read these; tools and the rest may be added while clients are connected. */
const capabilities = {
  tools: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {},
};

/** Makes the SDK's server for one connection or one HTTP request. */
export function createConnection(sources: HandlerSources, era: Era, settings: ConnectionSettings = {}): Served {
  const { sdk, identity, onerror, cacheHint } = sources;
  const { name, version, instructions } = identity;
  const connection = new (connectionClass(sdk))(
    { name, version },
    {
      // 2026-07-28 is the first revision with this extension; earlier ones had other tasks.
      capabilities: era === 'modern' ? { ...capabilities, ...tasksCapability } : capabilities,
      ...(instructions === undefined ? {} : { instructions }),
      ...(cacheHint ? { cacheHints: toListHints(cacheHint) } : {}),
    },
  );
  connection.onerror = onerror;
  const served = { connection, era, settings };
  connection.setRequestHandler('logging/setLevel', ({ params }) => {
    settings.logLevel = params.level;
    return {};
  });
  serveTools(served, sources);
  if (era === 'modern') serveTasks(served, sources);
  serveResources(served, sources);
  servePrompts(served, sources);
  serveCompletions(served, sources);
  return served;
}

function serveTools({ connection, settings }: Served, { sdk, registry, calls, tasks, pageSize }: HandlerSources): void {
  connection.setRequestHandler('tools/list', ({ params }) => {
    const { items, next } = listPage(sdk, 'tools', registry().tools, params, pageSize);
    return { tools: items, ...next };
  });
  connection.setDirectHandler('tools/call', (params, request) => {
    const { tools } = registry();
    const entry = tools.get(nameOf(sdk, params));
    if (!entry) throw new sdk.ProtocolError(invalidParams, unknown('tool', params.name, tools));
    const args = argumentsOf(sdk, params);
    const { item, description } = entry;
    const run = (incoming: Incoming): Awaitable<ToolResult | InputRequired> =>
      whenReady(calls.call(item, args, incoming), (result) =>
        'resultType' in result ? result : connection.projectCallToolResult(result, description.outputSchema),
      );
    const incoming: Incoming = { request, connection, settings };
    if (!item.task) return run(incoming);
    if (knowsTasks(request)) return tasks.call(item.task, incoming, async (own) => run(own)).catch(toFailedResult);
    if (!item.task.required) return run(incoming);
    const message = `Tool '${item.name}' runs as a task only: the client must declare the extension ${tasksExtension}`;
    if (!isModern(request)) return failedResult(message);
    throw new sdk.MissingRequiredClientCapabilityError({ requiredCapabilities: tasksCapability }, message);
  });
}

function servePrompts({ connection, settings }: Served, { sdk, registry, calls, pageSize }: HandlerSources): void {
  connection.setRequestHandler('prompts/list', ({ params }) => {
    const { items, next } = listPage(sdk, 'prompts', registry().prompts, params, pageSize);
    return { prompts: items, ...next };
  });
  connection.setDirectHandler('prompts/get', async (params, request) => {
    const { prompts } = registry();
    const entry = prompts.get(nameOf(sdk, params));
    if (!entry) throw new sdk.ProtocolError(invalidParams, unknown('prompt', params.name, prompts));
    const { name, description, handler } = entry.item;
    const args = argumentsOf(sdk, params);
    const incoming: Incoming = { request, connection, settings };
    return calls.read(
      `Prompt '${name}'`,
      incoming,
      { method: 'prompts/get', name, arguments: args },
      async (context) => {
        const messages = toMessages(await handler(await accepted(sdk, entry.item, args), context));
        return { ...(description === undefined ? {} : { description }), messages };
      },
    );
  });
}

function serveCompletions({ connection, settings }: Served, { sdk, registry, calls }: HandlerSources): void {
  connection.setRequestHandler('completion/complete', ({ params }, request) => {
    const { ref, argument, context } = params;
    const { prompts, templates } = registry();
    const isPrompt = ref.type === 'ref/prompt';
    const key = isPrompt ? ref.name : ref.uri;
    const item = (isPrompt ? prompts.get(key) : templates.get(key))?.item;
    if (!item)
      throw new sdk.ProtocolError(
        invalidParams,
        unknown(isPrompt ? 'prompt' : 'resource template', key, isPrompt ? prompts : templates),
      );
    const subject = `Completion of '${argument.name.slice(0, 128)}'`;
    const identity = { method: 'completion/complete', name: key, arguments: argument };
    return calls.read(subject, { request, connection, settings }, identity, () =>
      complete(item.complete, argument.name, argument.value, context?.arguments ?? {}),
    );
  });
}

async function accepted(sdk: ServerSDK, { name, input }: Prompt, args: unknown): Promise<unknown> {
  try {
    return await acceptArguments(`prompt '${name}'`, input, args);
  } catch (error) {
    throw new sdk.ProtocolError(invalidParams, describeError(error));
  }
}

/** The one failure of {@link ToolTasks} that is for the client to read. */
function toFailedResult(error: unknown): ToolResult {
  if (error instanceof ToolError) return failedResult(error.message);
  throw error;
}

function nameOf(sdk: ServerSDK, { name }: RPCParams): string {
  if (typeof name === 'string') return name;
  throw new sdk.ProtocolError(invalidParams, 'params.name must be a text');
}

function argumentsOf(sdk: ServerSDK, { arguments: args }: RPCParams): RPCParams['arguments'] {
  if (args === undefined || (typeof args === 'object' && args !== null && !Array.isArray(args))) return args;
  throw new sdk.ProtocolError(invalidParams, 'params.arguments must be an object');
}

function unknown(kind: string, name: string, known: ReadonlyMap<string, unknown>): string {
  return `Unknown ${kind} '${name.slice(0, 128)}'${hint(name.slice(0, 128), [...known.keys()].slice(0, 20))}`;
}
