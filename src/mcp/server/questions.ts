import { ConfigurationError, type StandardSchemaV1 } from '../../core/index.js';
import type {
  ClientRoot,
  ClientView,
  Conversation,
  FormQuestion,
  ModelReply,
  ModelRequest,
  PageQuestion,
  PageReply,
  QuestionOptions,
  Reply,
} from '../tools/conversation.js';
import type { ToolSchema } from '../tools/tool.js';
import { ToolError } from '../tools/tool-error.js';
import { MissingCapabilityError } from './missing-capability-error.js';
import type { QuestionChannel, WireQuestion } from './pending-questions.js';

/** How often a form is asked again, on one connection that waits, when its values do not fit. */
const maxAttempts = 3;

type Reading<T> = (answer: Readonly<Record<string, unknown>>) => Promise<T | undefined> | T | undefined;

/** The questions of one call: numbers them, looks whether the client can answer, checks what it answers. */
export class Questions implements Omit<Conversation, 'asksInPlace'> {
  readonly client: ClientView;
  readonly #channel: QuestionChannel;
  #asked = 0;

  constructor(client: ClientView, channel: QuestionChannel) {
    this.client = client;
    this.#channel = channel;
  }

  ask<Fields extends ToolSchema>(question: FormQuestion<Fields>): Promise<Reply<StandardSchemaV1.InferOutput<Fields>>>;
  ask(question: PageQuestion): Promise<PageReply>;
  async ask(question: FormQuestion<ToolSchema> | PageQuestion): Promise<Reply<unknown> | PageReply> {
    const page = 'url' in question;
    const modes = this.client.capabilities.elicitation as Readonly<Record<string, unknown>> | undefined;
    // A bare `elicitation: {}` means forms (2025-11-25, client/elicitation, "Capabilities").
    const able = modes && (page ? modes.url : modes.form || !modes.url);
    if (!able)
      throw new MissingCapabilityError(page ? 'show pages' : 'ask its user', { elicitation: page ? { url: {} } : {} });
    return this.#put(question, page ? toPage(question) : toForm(question), async ({ action, content }) => {
      if (action === 'decline' || action === 'cancel') return { action };
      if (action !== 'accept') return undefined;
      if (page) return { action };
      const checked = await question.schema['~standard'].validate(content ?? {});
      return checked.issues ? undefined : { action, content: checked.value };
    });
  }

  async sample(request: ModelRequest): Promise<ModelReply> {
    const { key: _, ...params } = request;
    const declared = this.client.capabilities.sampling as Readonly<Record<string, unknown>> | undefined;
    if (!declared) throw new MissingCapabilityError('lend its model', { sampling: {} });
    if ((params.tools || params.toolChoice) && !declared.tools)
      throw new MissingCapabilityError('lend its model with tools', { sampling: { tools: {} } });
    return this.#put(request, { method: 'sampling/createMessage', params }, (answer) =>
      typeof answer.role === 'string' && typeof answer.content === 'object' && answer.content !== null
        ? (answer as unknown as ModelReply)
        : undefined,
    );
  }

  async roots(options: QuestionOptions = {}): Promise<readonly ClientRoot[]> {
    if (!this.client.capabilities.roots) throw new MissingCapabilityError('tell its roots', { roots: {} });
    return this.#put(options, { method: 'roots/list', params: {} }, ({ roots }) =>
      Array.isArray(roots) ? (roots as readonly ClientRoot[]) : undefined,
    );
  }

  /** An answer that cannot be read is forgotten and asked for again. */
  async #put<T>({ key }: QuestionOptions, question: WireQuestion, read: Reading<T>): Promise<T> {
    this.#asked += 1;
    const named = key ?? `question-${this.#asked}`;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const answer = await this.#channel.put(named, question);
      const value = typeof answer === 'object' && answer !== null ? await read({ ...answer }) : undefined;
      if (value !== undefined) return value;
      this.#channel.forget(named);
    }
    throw new ToolError(`The client answered '${named}' ${maxAttempts} times with values that do not fit`);
  }
}

function toPage({ message, url }: PageQuestion): WireQuestion {
  if (!URL.canParse(url)) throw new ConfigurationError('ask: url must be an absolute URL', { field: 'url' });
  return { method: 'elicitation/create', params: { mode: 'url', message, url } };
}

/** MCP's forms know these members of JSON Schema only (2025-11-25, client/elicitation, "Requested Schema"). */
function toForm({ message, schema }: FormQuestion<ToolSchema>): WireQuestion {
  const { type, properties = {}, required } = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
  if (type !== 'object') {
    throw new ConfigurationError('ask: schema must describe an object of values', { field: 'schema' });
  }
  const requestedSchema = { type, properties, ...(required === undefined ? {} : { required }) };
  return { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema } };
}
