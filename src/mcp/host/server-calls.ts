import { CallScope, detach, quietClock, UnsupportedError } from '../../core/index.js';
import { correlationIdHere } from '../../core/internal.js';
import { correlationKey } from '../correlation.js';
import { type TaskClient, taskIn } from '../sdk/client-class.js';
import type { RequestOptions } from '../sdk/client-sdk.js';
import type { PromptMessage } from '../server/prompt.js';
import type { ResourceContents } from '../tools/tool.js';
import { ChangeFeed, type MCPChange, type MCPWatchFilter, type OpenFeed } from './change-feed.js';
import { type ServerFacts, statusOf, toClientError } from './client-errors.js';
import { followTask } from './follow-task.js';
import { type MCPTaskView, readTask } from './mcp-task-view.js';
import { ScopeSignal } from './scope-signal.js';
import { TaskNewsFeed } from './task-news-feed.js';
import type {
  Completion,
  CompletionRequest,
  Progress,
  PromptInfo,
  ResourceInfo,
  ResourceTemplateInfo,
  ToolAnswer,
  ToolInfo,
} from './types.js';

/** What is known about a connection beside its server. */
export interface ConnectionFacts extends ServerFacts {
  /** The server as it reads in messages. */
  readonly label: string;
  /** Gets the status of each HTTP answer that failed a call. */
  readonly onHTTPStatus?: (status: number) => void;
  /** Gets what a caller's function threw that only listens. */
  readonly onListenerError?: (error: unknown) => void;
}

type OnProgress = ((progress: Progress) => void) | undefined;
type Args = Readonly<Record<string, unknown>>;

/** What a call that became a task gives in place of an answer. */
export interface StartedTask {
  readonly task: MCPTaskView;
}

/** Calls end by our own scope; the SDK's timer would only add a second, differently typed end. */
export const noTimeout: number = 2 ** 31 - 1;
/** How long a task that nobody waits for any more may take to hear of it. */
const cancelMs = 5_000;

/** The requests of one connection, each inside a scope that somebody else waits on. */
export class ServerCalls {
  /** What the server tells of by itself. */
  readonly feed: ChangeFeed;
  readonly #client: TaskClient;
  readonly #facts: ConnectionFacts;

  readonly #ears: Map<string, Set<TaskNewsFeed>> = new Map();
  /** Set once the server did not agree to tell of a task. */
  #tellsNot = false;

  constructor(client: TaskClient, facts: ConnectionFacts) {
    this.#client = client;
    this.#facts = facts;
    this.feed = new ChangeFeed(client, facts.label);
    client.onTask = (told) => {
      const { taskId } = Object(told) as { taskId?: unknown };
      const ears = this.#ears.get(String(taskId));
      if (!ears) return;
      try {
        const task = readTask(`${facts.label}: notifications/tasks`, told);
        for (const ear of ears) ear.tell(task);
      } catch {
        // What cannot be read is asked for when its time comes.
      }
    };
  }

  /** Subscribes to changes. */
  watch(filter: MCPWatchFilter, tell: (change: MCPChange) => void, scope: CallScope): Promise<OpenFeed> {
    return this.#ask('a subscription', scope, (o) => this.feed.open(filter, tell, o));
  }

  async listTools(scope: CallScope): Promise<readonly ToolInfo[]> {
    if (!this.#has('tools')) return [];
    const list = await this.#ask('tools/list', scope, (o) => this.#client.listTools(undefined, o));
    return list.tools as ToolInfo[];
  }

  async listResources(scope: CallScope): Promise<readonly ResourceInfo[]> {
    if (!this.#has('resources')) return [];
    const list = await this.#ask('resources/list', scope, (o) => this.#client.listResources(undefined, o));
    return list.resources as ResourceInfo[];
  }

  async listResourceTemplates(scope: CallScope): Promise<readonly ResourceTemplateInfo[]> {
    if (!this.#has('resources')) return [];
    const ask = (o: RequestOptions): Promise<{ resourceTemplates: unknown[] }> =>
      this.#client.listResourceTemplates(undefined, o);
    return (await this.#ask('resources/templates/list', scope, ask)).resourceTemplates as ResourceTemplateInfo[];
  }

  async readResource(uri: string, scope: CallScope): Promise<readonly ResourceContents[]> {
    const read = await this.#ask(`resources/read '${uri}'`, scope, (o) => this.#client.readResource({ uri }, o));
    return read.contents as ResourceContents[];
  }

  async listPrompts(scope: CallScope): Promise<readonly PromptInfo[]> {
    if (!this.#has('prompts')) return [];
    const list = await this.#ask('prompts/list', scope, (o) => this.#client.listPrompts(undefined, o));
    return list.prompts as PromptInfo[];
  }

  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>>,
    scope: CallScope,
  ): Promise<readonly PromptMessage[]> {
    const params = { name, arguments: args };
    const prompt = await this.#ask(`prompts/get '${name}'`, scope, (o) => this.#client.getPrompt(params, o));
    return prompt.messages as PromptMessage[];
  }

  async complete(
    { prompt, resourceTemplate, argument, value, known }: CompletionRequest,
    scope: CallScope,
  ): Promise<Completion> {
    if (!this.#has('completions')) return { values: [], hasMore: false };
    const params = {
      ref:
        prompt === undefined ? { type: 'ref/resource', uri: resourceTemplate } : { type: 'ref/prompt', name: prompt },
      argument: { name: argument, value },
      ...(known ? { context: { arguments: known } } : {}),
    };
    const { completion } = await this.#ask('completion/complete', scope, (o) => this.#client.complete(params, o));
    const { values, total, hasMore = false } = completion as Partial<Completion>;
    return { values: values ?? [], hasMore, ...(total === undefined ? {} : { total }) };
  }

  async ping(scope: CallScope): Promise<void> {
    const modern = this.#client.getProtocolEra() === 'modern';
    await this.#ask<unknown>('a sign of life', scope, (o) =>
      modern ? this.#client.discover(o) : this.#client.ping(o),
    );
  }

  async callTool(name: string, args: Args, scope: CallScope, onProgress: OnProgress): Promise<ToolAnswer> {
    const tell = this.#safe(onProgress);
    const result = await this.#send(name, args, scope, tell);
    const task = taskIn(result);
    return task === undefined ? toAnswer(result) : this.#finish(name, this.#read(name, task), scope, tell);
  }

  /** Calls a tool, and gives the task if the call became one. */
  async startTool(name: string, args: Args, scope: CallScope): Promise<ToolAnswer | StartedTask> {
    const result = await this.#send(name, args, scope, undefined);
    const task = taskIn(result);
    return task === undefined ? toAnswer(result) : { task: this.#read(name, task) };
  }

  async #finish(name: string, task: MCPTaskView, scope: CallScope, tell: OnProgress): Promise<ToolAnswer> {
    const { taskId } = task;
    // It runs on for as long as the server likes unless it is told that nobody waits.
    const off = scope.onCancel(() => this.#abandon(taskId));
    try {
      return await this.follow(`tools/call '${name}'`, task, scope, tell, name);
    } catch (error) {
      if (!scope.cancelled) this.#abandon(taskId);
      throw error;
    } finally {
      off();
    }
  }

  /** Waits for a task's answer, which is checked as that of the tool when its name is given. */
  async follow(
    what: string,
    task: MCPTaskView,
    scope: CallScope,
    onProgress: OnProgress,
    tool?: string,
  ): Promise<ToolAnswer> {
    const { label } = this.#facts;
    const result = await followTask(
      `${label}: ${what} (task ${task.taskId})`,
      task,
      {
        get: (taskId, within) => this.getTask(taskId, within),
        update: (taskId, inputResponses, within) =>
          this.#ask(`tasks/update`, within, (o) => this.#client.ask('tasks/update', { taskId, inputResponses }, o)),
        answer: (key, question, signal) => this.#client.answerRequest(key, question, signal),
        listen: (taskId) => new TaskNewsFeed((feed) => this.#hear(taskId, feed)),
      },
      scope,
      this.#safe(onProgress),
    );
    if (tool !== undefined) await this.#ask(what, scope, async () => this.#client.checkResult(tool, result));
    return toAnswer(result);
  }

  async getTask(taskId: string, scope: CallScope): Promise<MCPTaskView> {
    this.#assertTasks();
    const what = `tasks/get ${taskId}`;
    const state = await this.#ask(what, scope, (o) => this.#client.ask('tasks/get', { taskId }, o));
    return readTask(`${this.#facts.label}: ${what}`, state);
  }

  async cancelTask(taskId: string, scope: CallScope): Promise<void> {
    this.#assertTasks();
    await this.#ask(`tasks/cancel ${taskId}`, scope, (o) => this.#client.ask('tasks/cancel', { taskId }, o));
  }

  #send(name: string, args: Args, scope: CallScope, onProgress: OnProgress): Promise<unknown> {
    const correlationId = correlationIdHere();
    const params = { name, arguments: args, ...(correlationId ? { _meta: { [correlationKey]: correlationId } } : {}) };
    return this.#ask(`tools/call '${name}'`, scope, (o) =>
      this.#client.callTool(params, onProgress ? { ...o, onprogress: onProgress } : o),
    );
  }

  #read(name: string, task: unknown): MCPTaskView {
    return readTask(`${this.#facts.label}: tools/call '${name}'`, task);
  }

  #abandon(taskId: string): void {
    detach(async () => {
      using scope = new CallScope(`tasks/cancel ${taskId}`, { timeoutMs: cancelMs, clock: quietClock });
      await scope.run(() => this.cancelTask(taskId, scope));
    }).catch(() => undefined);
  }

  /** @returns what ends it */
  #hear(taskId: string, feed: TaskNewsFeed): () => void {
    if (this.#tellsNot) return () => undefined;
    const ears = this.#ears.get(taskId) ?? new Set();
    this.#ears.set(taskId, ears.add(feed));
    const scope = new CallScope(`listening to task ${taskId}`);
    const options = { signal: new ScopeSignal(scope), timeout: noTimeout };
    detach(async () => {
      const stream = await this.#client.listen({ taskIds: [taskId] }, options);
      feed.hears = this.#client.told.has(taskId);
      this.#tellsNot ||= !feed.hears;
      stream.closed.then(() => {
        feed.hears = false;
      });
      if (!feed.hears) await stream.close();
    }).catch(() => undefined);
    return () => {
      scope.cancel(new Error('The task is not followed any more'));
      ears.delete(feed);
      if (ears.size > 0) return;
      this.#ears.delete(taskId);
      this.#client.told.delete(taskId);
    };
  }

  #assertTasks(): void {
    if (this.#client.getProtocolEra() !== 'modern')
      throw new UnsupportedError(`${this.#facts.label} speaks a protocol before 2026-07-28, which has no such tasks`);
  }

  #has(capability: string): boolean {
    return this.#client.getServerCapabilities()?.[capability] !== undefined;
  }

  #safe(listener: OnProgress): OnProgress {
    if (!listener) return undefined;
    return (progress) => {
      try {
        listener(progress);
      } catch (error) {
        this.#facts.onListenerError?.(error);
      }
    };
  }

  async #ask<T>(what: string, scope: CallScope, ask: (options: RequestOptions) => Promise<T>): Promise<T> {
    try {
      return await ask({ signal: new ScopeSignal(scope), timeout: noTimeout });
    } catch (error) {
      const status = statusOf(error);
      if (status !== undefined) this.#facts.onHTTPStatus?.(status);
      throw toClientError(error, this.#facts.label, what, this.#facts);
    }
  }
}

function toAnswer(result: unknown): ToolAnswer {
  const answer = result as Omit<ToolAnswer, 'text'> & { isError?: boolean };
  const content = Array.isArray(answer.content) ? answer.content : [];
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return { ...answer, content, isError: answer.isError ?? false, text: texts.join('\n') };
}
