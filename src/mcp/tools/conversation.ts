import type { StandardSchemaV1 } from '../../core/index.js';
import type { ContentBlock } from './content-block.js';
import type { ToolSchema } from './tool-schema.js';

/** What a client said about itself. It is not verified: decide nothing about rights by it. */
export interface ClientView {
  readonly name?: string;
  readonly version?: string;
  /** As in the MCP specification (`ClientCapabilities`); empty when the client declared none or cannot be asked. */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** Settings that every question has. */
export interface QuestionOptions {
  /**
   * Names the question within one call. Needed only when the order of questions may differ from run
   * to run of the handler.
   *
   * @default its number: `question-1`
   */
  readonly key?: string;
}

/** A form for the user to fill in. */
export interface FormQuestion<Fields extends ToolSchema> extends QuestionOptions {
  /** Why the values are needed, for the user to read. */
  readonly message: string;
  /** An object of texts, numbers, flags and choices, without objects in it: MCP has no other forms. */
  readonly schema: Fields;
}

/** A page for the user to visit, for what must not pass through the client: sign-in, payment, keys. */
export interface PageQuestion extends QuestionOptions {
  readonly message: string;
  readonly url: string;
}

/** What the user did with a page: `accept` says that they agreed to visit it, not that it is done. */
export interface PageReply {
  readonly action: 'accept' | 'decline' | 'cancel';
}

/** What the user did with a form. */
export type Reply<Content> =
  | { readonly action: 'accept'; readonly content: Content }
  | { readonly action: 'decline' | 'cancel'; readonly content?: undefined };

/** One message of a conversation with the client's model. */
export interface ModelMessage {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock | readonly ContentBlock[];
}

/** A request to the client's model, as in the MCP specification (`CreateMessageRequestParams`). */
export interface ModelRequest extends QuestionOptions {
  readonly messages: readonly ModelMessage[];
  readonly maxTokens: number;
  readonly systemPrompt?: string;
  readonly temperature?: number;
  readonly stopSequences?: readonly string[];
  readonly modelPreferences?: Readonly<Record<string, unknown>>;
  /** Tools the model may ask for; the client must declare `sampling.tools`. */
  readonly tools?: readonly Readonly<Record<string, unknown>>[];
  readonly toolChoice?: Readonly<Record<string, unknown>>;
}

/** What the client's model said. */
export interface ModelReply {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock | readonly ContentBlock[];
  readonly model: string;
  readonly stopReason?: string;
}

/** A folder or file the client lets the server know of. */
export interface ClientRoot {
  /** Begins with `file://`. */
  readonly uri: string;
  readonly name?: string;
}

/**
 * What a handler may ask of the client and its user while it runs.
 *
 * To clients before 2026-07-28 a question is a request of the server, and the handler waits. To
 * later ones the call is answered by the question, and the client calls again with the answer: the
 * handler then **runs from its beginning**, and the same question returns at once. Ask before you
 * act, or do what must happen once behind an idempotency key. Questions asked together
 * (`Promise.all`) go out together.
 */
export interface Conversation {
  readonly client: ClientView;
  /**
   * Whether the handler waits while its question is answered: in a task, and for clients before
   * 2026-07-28. Where it does not, the question is the answer of the call, and the handler runs again.
   */
  readonly asksInPlace: boolean;
  /**
   * Asks the user to fill in a form. The values are checked by `schema`; values that do not fit are
   * asked for again.
   *
   * @throws UnsupportedError when the client cannot ask its user
   * @example const reply = await context.ask({ message: 'Refund it?', schema: z.object({ confirm: z.boolean() }) });
   */
  ask<Fields extends ToolSchema>(question: FormQuestion<Fields>): Promise<Reply<StandardSchemaV1.InferOutput<Fields>>>;
  /**
   * Asks the user to visit a page. `accept` says that the user agreed to, not that it is done.
   *
   * @throws UnsupportedError when the client cannot show pages
   */
  ask(question: PageQuestion): Promise<PageReply>;
  /**
   * Asks the client's model.
   *
   * @throws UnsupportedError when the client lends no model
   */
  sample(request: ModelRequest): Promise<ModelReply>;
  /**
   * The folders and files that the client works on.
   *
   * @throws UnsupportedError when the client tells none
   */
  roots(options?: QuestionOptions): Promise<readonly ClientRoot[]>;
}
