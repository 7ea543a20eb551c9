import { invalidParams, type RequestContext, type RPCParams } from '../sdk/server-sdk.js';
import { clientCapabilities, principalOf } from './call-context.js';
import type { HandlerSources, Served } from './served.js';
import type { TaskRun } from './task-run.js';

/** The extension's name in capabilities (SEP-2663). */
export const tasksExtension = 'io.modelcontextprotocol/tasks';

/** What a client has to declare, in the shape of `ClientCapabilities`. */
export const tasksCapability: Readonly<Record<string, object>> = { extensions: { [tasksExtension]: {} } };

/** Whether this request's client knows tasks. Only 2026-07-28 and later have the extension. */
export function knowsTasks(request: RequestContext): boolean {
  return declaresTasks(clientCapabilities(request));
}

/** Whether these capabilities of a client hold the extension. */
export function declaresTasks(capabilities: unknown): boolean {
  const { extensions } = Object(capabilities) as { readonly extensions?: unknown };
  return typeof extensions === 'object' && extensions !== null && Object.hasOwn(extensions, tasksExtension);
}

/** `tasks/get`, `tasks/update` and `tasks/cancel`. A task is known only to the principal whose call it is. */
export function serveTasks({ connection }: Served, { sdk, tasks }: HandlerSources): void {
  const unknown = (): Error =>
    new sdk.ProtocolError(invalidParams, 'There is no such task; tasks are forgotten after their ttlMs');
  const idOf = ({ taskId }: RPCParams, request: RequestContext): string => {
    if (!knowsTasks(request))
      throw new sdk.MissingRequiredClientCapabilityError(
        { requiredCapabilities: tasksCapability },
        `The client must declare the extension ${tasksExtension}`,
      );
    if (typeof taskId === 'string') return taskId;
    throw new sdk.ProtocolError(invalidParams, 'params.taskId must be a text');
  };
  /** Undefined for a task that ended in another process. */
  const running = async (params: RPCParams, request: RequestContext): Promise<TaskRun | undefined> => {
    const taskId = idOf(params, request);
    const owner = principalOf(request)?.id ?? '';
    const run = tasks.find(taskId, owner);
    const state = run?.state ?? (await tasks.state(taskId, owner));
    if (!state) throw unknown();
    if (!run && (state.status === 'working' || state.status === 'input_required'))
      throw new sdk.ProtocolError(
        internalError,
        'The task runs in another process of this server, and cannot be reached',
      );
    return run;
  };
  connection.setDirectHandler('tasks/get', async (params, request) => {
    const state = await tasks.state(idOf(params, request), principalOf(request)?.id ?? '');
    if (state) return state;
    throw unknown();
  });
  connection.setDirectHandler('tasks/update', async (params, request) => {
    const run = await running(params, request);
    run?.answer(request.mcpReq.inputResponses ?? {});
    return {};
  });
  connection.setDirectHandler('tasks/cancel', async (params, request) => {
    const run = await running(params, request);
    if (run && !run.final) run.cancel(new DOMException('The client cancelled the task', 'AbortError'));
    return {};
  });
}

/** JSON-RPC's code for failures of the server. */
const internalError = -32603;
