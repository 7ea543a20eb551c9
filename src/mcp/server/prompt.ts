import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Awaitable } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { schema } from '../tools/define-tool.js';
import type { ContentBlock, ToolContext, ToolSchema } from '../tools/tool.js';
import type { Completers } from './completion.js';

/** One message of a prompt. */
export interface PromptMessage {
  readonly role: 'user' | 'assistant';
  readonly content: ContentBlock;
}

/** What a prompt is, without the function that writes it. */
export interface PromptDefinition<Input extends ToolSchema> {
  /** Unique within a server. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** An object of texts: prompts have no other arguments in MCP. @default no arguments */
  readonly input?: Input;
  /** Suggests values of the arguments while somebody types. */
  readonly complete?: Completers;
}

/** A prompt, ready for `MCPServer`. Made by {@link definePrompt}. */
export interface Prompt extends PromptDefinition<ToolSchema> {
  /** Takes arguments that `input` has accepted. */
  readonly handler: (args: unknown, context: ToolContext) => Awaitable<string | readonly PromptMessage[]>;
}

/**
 * Makes a prompt out of a function that writes it: a text becomes one message of the user.
 *
 * @throws ConfigurationError for a definition that is not usable
 * @example const review = definePrompt({ name: 'review', input: z.object({ code: z.string() }) }, ({ code }) => `Review this:\n${code}`);
 */
export function definePrompt<Input extends ToolSchema = ToolSchema<Record<string, string>>>(
  definition: PromptDefinition<Input>,
  handler: (
    args: StandardSchemaV1.InferOutput<Input>,
    context: ToolContext,
  ) => Awaitable<string | readonly PromptMessage[]>,
): Prompt {
  const owner = typeof definition?.name === 'string' ? `prompt '${definition.name.slice(0, 128)}'` : 'definePrompt';
  checkOptions<PromptDefinition<ToolSchema>>(owner, definition, {
    name: is.required(is.text),
    title: is.text,
    description: is.text,
    input: schema,
    complete: is.object,
  });
  is.function(handler, `${owner}: the handler`);
  return Object.freeze({ ...definition, handler: handler as Prompt['handler'] });
}

/** The messages of a prompt's answer. */
export function toMessages(answer: string | readonly PromptMessage[]): readonly PromptMessage[] {
  return typeof answer === 'string' ? [{ role: 'user', content: { type: 'text', text: answer } }] : answer;
}
