import { ConfigurationError, detach, quietClock } from '../../core/index.js';
import { is, type OptionCheck } from '../../core/internal.js';
import type { AsTaskOptions, ToolResult } from '../tools/tool.js';
import { ToolError } from '../tools/tool-error.js';
import { principalOf } from './call-context.js';
import type { InputRequired } from './call-state.js';
import { TaskRun } from './task-run.js';
import type { MCPTaskState, MCPTaskStore } from './task-state.js';
import type { Incoming } from './tool-calls.js';

/** How a server keeps the tasks of tools made by `asTask`. */
export interface MCPTaskOptions {
  /**
   * How long a task can be asked for, from its start, in milliseconds up to 2^31 - 1. A tool without a
   * `timeoutMs` may run as long. After it the task is cancelled if it runs still, and forgotten.
   *
   * @default 3600000
   */
  readonly ttlMs?: number;
  /** How often clients are told to ask, in milliseconds. @default 1000 */
  readonly pollIntervalMs?: number;
  /** Tasks that are kept for one principal; a call beyond them is refused. @default 100 */
  readonly maxPerCaller?: number;
  /** Tasks that are kept in all; a call beyond them is refused. @default 1000 */
  readonly maxTasks?: number;
  /** Keeps states for other processes as well. @default this process alone knows them */
  readonly store?: MCPTaskStore;
}

/** The answer of a call that has become a task (`CreateTaskResult`). */
export type CreatedTask = { readonly resultType: 'task' } & MCPTaskState;

const longestMs = 2 ** 31 - 1;

const wholeMs: OptionCheck = (value, field) => {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > longestMs)
    throw new ConfigurationError(`${field} must be a whole number of milliseconds, 1 to ${longestMs}`, { field });
};

const store: OptionCheck = (value, field) => {
  const methods = Object(value) as Readonly<Record<string, unknown>>;
  const missing = ['set', 'get', 'delete'].filter((name) => typeof methods[name] !== 'function');
  if (missing.length > 0) throw new ConfigurationError(`${field} must have ${missing.join(', ')}()`, { field });
};

/** Checks {@link MCPTaskOptions}. */
export const taskOptions: OptionCheck = is.options<MCPTaskOptions>({
  ttlMs: wholeMs,
  pollIntervalMs: wholeMs,
  maxPerCaller: is.count,
  maxTasks: is.count,
  store,
});

/** The calls of one server that outlive their requests. */
export class ToolTasks {
  readonly #settings: Required<Omit<MCPTaskOptions, 'store'>>;
  readonly #store: MCPTaskStore | undefined;
  readonly #onerror: (error: Error) => void;
  readonly #onChange: (run: TaskRun) => void;
  readonly #runs: Map<string, { readonly run: TaskRun; readonly keepNoLonger: () => void }> = new Map();
  readonly #kept: Map<string, number> = new Map();
  readonly #writes: Map<string, Promise<void>> = new Map();
  #asksNoMore = false;

  /** @param onChange Is told of each new state of a task that is kept. */
  constructor(
    { store: kept, ...given }: MCPTaskOptions,
    onerror: (error: Error) => void,
    onChange: (run: TaskRun) => void = () => undefined,
  ) {
    const defaults = { ttlMs: 3_600_000, pollIntervalMs: 1_000, maxPerCaller: 100, maxTasks: 1_000 };
    this.#settings = { ...defaults, ...given };
    this.#store = kept;
    this.#onerror = onerror;
    this.#onChange = onChange;
  }

  /**
   * Runs `work` in its own time, and resolves once it is a task, or has ended without becoming one.
   *
   * @throws ToolError when the caller, or all together, have as many tasks as are kept, or the store fails
   */
  async call(
    { starts }: Required<AsTaskOptions>,
    incoming: Incoming,
    work: (incoming: Incoming) => Promise<ToolResult | InputRequired>,
  ): Promise<ToolResult | InputRequired | CreatedTask> {
    const { request } = incoming;
    const owner = principalOf(request)?.id ?? '';
    this.#assertRoom(owner);
    const { ttlMs, pollIntervalMs } = this.#settings;
    const run = new TaskRun({ owner, ttlMs, pollIntervalMs, onChange: (changed) => this.#write(changed) });
    const end = (): void => run.cancel(request.mcpReq.signal.reason);
    request.mcpReq.signal.addEventListener('abort', end, { once: true });
    try {
      if (starts === 'at once') await this.#keep(run);
      const mcpReq = { ...request.mcpReq, signal: run.signal };
      const working = detach(() => work({ ...incoming, request: { ...request, mcpReq }, task: run }));
      const ending = working.then(
        (result) => run.end(completed(result)),
        (error: unknown) => run.end(failed(error)),
      );
      await Promise.race([run.beginning, ending]);
      if (!run.begun) return await working;
      if (starts === 'when told') await this.#keep(run);
      const { taskId, status, createdAt, lastUpdatedAt } = run.state;
      return { resultType: 'task', taskId, status, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs };
    } finally {
      request.mcpReq.signal.removeEventListener('abort', end);
    }
  }

  /** The task, if it is the owner's; undefined also for one that other processes run. */
  find(taskId: string, owner: string): TaskRun | undefined {
    const run = this.#runs.get(taskId)?.run;
    return run?.owner === owner ? run : undefined;
  }

  /** The task that this process runs, whoever asks. */
  run(taskId: string): TaskRun | undefined {
    return this.#runs.get(taskId)?.run;
  }

  /** The state, wherever the task runs; undefined when it is unknown, too old, or another's. */
  async state(taskId: string, owner: string): Promise<MCPTaskState | undefined> {
    const own = this.find(taskId, owner);
    if (own || !this.#store || this.#runs.has(taskId)) return own?.state;
    const record = await this.#store.get(taskId);
    return record?.owner === owner && record.expiresAt > Date.now() ? record.state : undefined;
  }

  /** Cancels what waits for an answer, now and from now on: people may take any time. */
  askNoMore(): void {
    this.#asksNoMore = true;
    for (const { run } of this.#runs.values()) this.#refuseQuestion(run);
  }

  /** Cancels what runs. How tasks ended can be told until the last client has gone; stores keep it until it expires. */
  close(): void {
    for (const { run, keepNoLonger } of this.#runs.values()) {
      keepNoLonger();
      run.cancel(new DOMException('The server closed', 'AbortError'));
    }
  }

  async #keep(run: TaskRun): Promise<void> {
    const forget = (): void => this.#forget(run);
    this.#runs.set(run.id, { run, keepNoLonger: quietClock.schedule(forget, run.ttlMs) });
    this.#kept.set(run.owner, (this.#kept.get(run.owner) ?? 0) + 1);
    run.begin();
    try {
      await this.#store?.set(run.id, run.record);
    } catch (error) {
      // A handle that cannot be asked about is not given away.
      run.cancel(error);
      this.#forget(run);
      this.#report(error);
      throw new ToolError('The task could not be kept, so it was not begun; try again later', { cause: error });
    }
  }

  #forget(run: TaskRun): void {
    const entry = this.#runs.get(run.id);
    if (!entry) return;
    entry.keepNoLonger();
    this.#runs.delete(run.id);
    const left = (this.#kept.get(run.owner) ?? 1) - 1;
    if (left > 0) this.#kept.set(run.owner, left);
    else this.#kept.delete(run.owner);
    run.cancel(new DOMException('The task is too old', 'AbortError'));
    this.#change(run.id, (kept) => kept.delete(run.id));
  }

  #write(run: TaskRun): void {
    if (!this.#runs.has(run.id)) return;
    if (this.#refuseQuestion(run)) return;
    this.#onChange(run);
    this.#change(run.id, (kept) => kept.set(run.id, run.record));
  }

  #refuseQuestion(run: TaskRun): boolean {
    const refused = this.#asksNoMore && run.status === 'input_required';
    if (refused) run.cancel(new DOMException('The server closes, and waits for no answers', 'AbortError'));
    return refused;
  }

  /** One write after the other, so that the last state stays. */
  #change(taskId: string, change: (kept: MCPTaskStore) => unknown): void {
    const kept = this.#store;
    if (!kept) return;
    const next = (this.#writes.get(taskId) ?? Promise.resolve())
      .then(async () => void (await change(kept)))
      .catch((error: unknown) => this.#report(error))
      .finally(() => {
        if (this.#writes.get(taskId) === next) this.#writes.delete(taskId);
      });
    this.#writes.set(taskId, next);
  }

  #report(error: unknown): void {
    this.#onerror(error instanceof Error ? error : new Error(String(error)));
  }

  #assertRoom(owner: string): void {
    const { maxPerCaller, maxTasks, ttlMs } = this.#settings;
    const own = (this.#kept.get(owner) ?? 0) >= maxPerCaller;
    if (!own && this.#runs.size < maxTasks) return;
    const whose = own ? `${maxPerCaller} of this caller` : `${maxTasks}`;
    throw new ToolError(`No more tasks can be kept: there are ${whose}. Each is let go ${ttlMs} ms after its start`);
  }
}

function completed(result: ToolResult | InputRequired): Pick<MCPTaskState, 'status' | 'result' | 'error'> {
  if ('resultType' in result)
    return { status: 'failed', error: { code: internalError, message: 'The tool asked before its task began' } };
  return { status: 'completed', result };
}

/** Only errors of the protocol were meant to be read by the client. */
function failed(error: unknown): Pick<MCPTaskState, 'status' | 'error'> {
  const { code, message, data } = Object(error) as { code?: unknown; message?: unknown; data?: unknown };
  if (!Number.isSafeInteger(code))
    return { status: 'failed', error: { code: internalError, message: 'Internal error' } };
  const told = { code: code as number, message: String(message) };
  return { status: 'failed', error: data === undefined ? told : { ...told, data } };
}

/** JSON-RPC's code for failures of the server. */
const internalError = -32603;
