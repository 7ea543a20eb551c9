import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type CallScope, redact } from '../../core/index.js';
import type { Connection, RequestContext } from '../sdk/server-sdk.js';
import type {
  ClientRoot,
  ClientView,
  FormQuestion,
  ModelReply,
  ModelRequest,
  PageQuestion,
  PageReply,
  QuestionOptions,
  Reply,
} from '../tools/conversation.js';
import type { LogLevel, Principal, ToolContext, ToolSchema } from '../tools/tool.js';
import { PushedQuestions, type QuestionChannel, ReturnedQuestions } from './pending-questions.js';
import { Questions } from './questions.js';
import type { TaskRun } from './task-run.js';
import type { Incoming } from './tool-calls.js';

/** The principal that `MCPServer.fetch` put into a request. */
export function principalOf(request: RequestContext): Principal | undefined {
  return request.http?.authInfo?.extra?.principal as Principal | undefined;
}

/** True for a request by a client of 2026-07-28 or later. */
export function isModern({ mcpReq }: RequestContext): boolean {
  return mcpReq.envelope !== undefined;
}

/** What the client declared with this request; undefined for clients before 2026-07-28, which declare it once. */
export function clientCapabilities({ mcpReq }: RequestContext): ClientView['capabilities'] | undefined {
  return mcpReq.envelope?.[capabilitiesKey] as ClientView['capabilities'] | undefined;
}

/** What a handler gets. Made inside the call's scope. */
export class CallContext implements ToolContext {
  readonly correlationId: string;
  readonly #request: RequestContext;
  readonly #incoming: Incoming;
  readonly #scope: CallScope;
  readonly #answers: Readonly<Record<string, unknown>>;
  #returned: ReturnedQuestions | undefined;
  #questions: Questions | undefined;
  #done = Number.NEGATIVE_INFINITY;

  /** @param answers What the client answered in earlier rounds and this one. */
  constructor(incoming: Incoming, correlationId: string, scope: CallScope, answers: Readonly<Record<string, unknown>>) {
    this.#incoming = incoming;
    this.#request = incoming.request;
    this.correlationId = correlationId;
    this.#scope = scope;
    this.#answers = answers;
  }

  get signal(): AbortSignal {
    return this.#scope.signal;
  }

  get principal(): Principal | undefined {
    return principalOf(this.#request);
  }

  get client(): ClientView {
    return this.#conversation().client;
  }

  get asksInPlace(): boolean {
    return !isModern(this.#request) || this.#incoming.task?.begun === true;
  }

  /** The questions that go out as the answer of this call; undefined when the handler has all it asked for. */
  get waiting(): ReturnedQuestions | undefined {
    return this.#returned && this.#returned.open.size > 0 ? this.#returned : undefined;
  }

  background(): boolean {
    this.#incoming.task?.begin();
    return this.#incoming.task !== undefined;
  }

  async progress(done: number, total?: number, message?: string): Promise<void> {
    const { task } = this.#incoming;
    if (task?.begun) {
      if (done > this.#done) task.tell(message ?? (total === undefined ? String(done) : `${done} of ${total}`));
      this.#done = Math.max(done, this.#done);
      return;
    }
    const token = this.#request.mcpReq._meta?.progressToken;
    if ((typeof token !== 'string' && typeof token !== 'number') || !(done > this.#done)) return;
    this.#done = done;
    const params = {
      progressToken: token,
      progress: done,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message }),
    };
    await this.#request.mcpReq.notify({ method: 'notifications/progress', params }).catch(clientIsGone);
  }

  async log(level: LogLevel, data: unknown): Promise<void> {
    // A request that was answered has no channel for messages any more.
    if (this.#incoming.task?.begun) return;
    const { mcpReq } = this.#request;
    const wanted = isModern(this.#request)
      ? mcpReq.envelope?.[logLevelKey]
      : (this.#incoming.settings.logLevel ?? 'debug');
    if (wanted === undefined || severities.indexOf(level) < severities.indexOf(wanted as LogLevel)) return;
    await mcpReq.notify({ method: 'notifications/message', params: { level, data: redact(data) } }).catch(clientIsGone);
  }

  ask<Fields extends ToolSchema>(question: FormQuestion<Fields>): Promise<Reply<StandardSchemaV1.InferOutput<Fields>>>;
  ask(question: PageQuestion): Promise<PageReply>;
  ask(question: FormQuestion<ToolSchema> | PageQuestion): Promise<Reply<unknown> | PageReply> {
    return this.#conversation().ask(question as FormQuestion<ToolSchema>);
  }

  sample(request: ModelRequest): Promise<ModelReply> {
    return this.#conversation().sample(request);
  }

  roots(options?: QuestionOptions): Promise<readonly ClientRoot[]> {
    return this.#conversation().roots(options);
  }

  #conversation(): Questions {
    if (!this.#questions) {
      if (isModern(this.#request)) this.#returned = new ReturnedQuestions(this.#answers);
      const { task } = this.#incoming;
      const channel = task
        ? taskQuestions(task, this.#returned)
        : (this.#returned ?? new PushedQuestions(this.#request));
      this.#questions = new Questions(clientOf(this.#request, this.#incoming.connection), channel);
    }
    return this.#questions;
  }
}

/** By the request itself where the protocol has it there, else by the connection's `initialize`. */
function clientOf(request: RequestContext, connection: Connection): ClientView {
  const { envelope } = request.mcpReq;
  const info = (envelope?.[clientInfoKey] ?? connection.getClientVersion()) as ClientView | undefined;
  const declared = envelope ? clientCapabilities(request) : connection.getClientCapabilities();
  const capabilities = declared ?? {};
  return {
    ...(info?.name ? { name: info.name } : {}),
    ...(info?.version ? { version: info.version } : {}),
    capabilities,
  };
}

/** Questions go out as the answer of the call, and through the task once there is one. */
function taskQuestions(task: TaskRun, returned: ReturnedQuestions | undefined): QuestionChannel {
  const channel = (): QuestionChannel => (task.begun || !returned ? task : returned);
  return { put: (key, question) => channel().put(key, question), forget: (key) => channel().forget(key) };
}

const severities: readonly LogLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];
const logLevelKey = 'io.modelcontextprotocol/logLevel';
const clientInfoKey = 'io.modelcontextprotocol/clientInfo';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

/** Nobody is left to tell; the call itself ends by its signal. */
function clientIsGone(): void {}
