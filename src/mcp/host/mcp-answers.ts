import { type Awaitable, UnsupportedError } from '../../core/index.js';
import { is, type OptionCheck } from '../../core/internal.js';
import type { SDKClient } from '../sdk/client-sdk.js';
import type { ClientRoot, ModelReply, ModelRequest, PageReply, Reply } from '../tools/conversation.js';

/** What every question of a server comes with. */
export interface MCPQuestion {
  /** The server that asks, as the config names it. */
  readonly server: string;
  /** Aborts when the answer is no longer wanted. */
  readonly signal: AbortSignal;
}

/** A form that a server wants the user to fill in. */
export interface MCPFormQuestion extends MCPQuestion {
  readonly message: string;
  /** JSON Schema of the values: an object of texts, numbers, flags and choices. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** A page that a server wants the user to visit. Show the whole address before anything opens it. */
export interface MCPPageQuestion extends MCPQuestion {
  readonly message: string;
  readonly url: string;
}

/** A request of a server to your model. */
export type MCPModelQuestion = Omit<ModelRequest, 'key'> & MCPQuestion;

/**
 * Answers to what servers ask while they work on a call. Servers are told which of them there are, and
 * ask for nothing else. What a function throws fails the call that asked, and nothing else.
 *
 * @example new MCPHost(config, { answers: { form: async ({ message, schema }) => showForm(message, schema) } });
 */
export interface MCPAnswers {
  /** Asks the user. `accept` carries the values; the server checks them, and asks again for some that do not fit. */
  readonly form?: (question: MCPFormQuestion) => Awaitable<Reply<Readonly<Record<string, unknown>>>>;
  /** Asks the user to visit a page. `accept` says that they agreed to, not that it is done. */
  readonly page?: (question: MCPPageQuestion) => Awaitable<PageReply>;
  /** Lends your model. Let a person see what is asked of it. */
  readonly sample?: (question: MCPModelQuestion) => Awaitable<ModelReply>;
  /** The folders and files that servers may know of. */
  readonly roots?: (question: MCPQuestion) => Awaitable<readonly ClientRoot[]>;
}

/** Checks {@link MCPAnswers}. */
export const answersCheck: OptionCheck = is.options<MCPAnswers>({
  form: is.function,
  page: is.function,
  sample: is.function,
  roots: is.function,
});

/** What a client that has these answers tells servers of itself (`ClientCapabilities`). */
export function capabilitiesOf({ form, page, sample, roots }: MCPAnswers): Readonly<Record<string, object>> {
  return {
    ...(form || page ? { elicitation: { ...(form ? { form: {} } : {}), ...(page ? { url: {} } : {}) } } : {}),
    ...(sample ? { sampling: {} } : {}),
    ...(roots ? { roots: {} } : {}),
  };
}

interface Asked {
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Lets the client answer the requests of its server. */
export function serveAnswers(client: SDKClient, server: string, answers: MCPAnswers): void {
  const { form, page, sample, roots } = answers;
  if (form || page)
    client.setRequestHandler('elicitation/create', async ({ params = {} }: Asked, { mcpReq: { signal } }) => {
      const { message, url, requestedSchema } = params as { message: string; url: string; requestedSchema: object };
      if (params.mode !== 'url' && form) return form({ server, signal, message, schema: { ...requestedSchema } });
      if (params.mode === 'url' && page) return page({ server, signal, message, url });
      throw new UnsupportedError(`MCP server '${server}' asks for what nobody answers: elicitation by ${params.mode}`);
    });
  if (sample)
    client.setRequestHandler('sampling/createMessage', async ({ params }: Asked, { mcpReq: { signal } }) =>
      sample({ ...(params as unknown as ModelRequest), server, signal }),
    );
  if (roots)
    client.setRequestHandler('roots/list', async (_: Asked, { mcpReq: { signal } }) => ({
      roots: await roots({ server, signal }),
    }));
}
