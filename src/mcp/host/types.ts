import type { CallOptions } from '../../core/index.js';
import type { ContentBlock, ToolAnnotations } from '../tools/tool.js';

/** A tool that a server offers. */
export interface ToolInfo {
  /** The name to call it by. */
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly outputSchema?: Readonly<Record<string, unknown>>;
  readonly annotations?: ToolAnnotations;
}

/** A resource that a server offers. */
export interface ResourceInfo {
  readonly uri: string;
  readonly name: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/** A family of resources that a server offers. */
export interface ResourceTemplateInfo {
  /** The URIs of the family, with `{variables}` (RFC 6570). */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/** What values are asked for, of a prompt's argument or a template's variable. */
export interface CompletionRequest {
  /** The prompt whose argument it is; give this or `resourceTemplate`. */
  readonly prompt?: string;
  /** The `uriTemplate` whose variable it is. */
  readonly resourceTemplate?: string;
  /** The argument's or variable's name. */
  readonly argument: string;
  /** What was typed so far. */
  readonly value: string;
  /** The other arguments that are known already. */
  readonly known?: Readonly<Record<string, string>>;
}

/** Values that a server suggests. */
export interface Completion {
  /** At most 100. */
  readonly values: readonly string[];
  /** How many there are in all, when the server says. */
  readonly total?: number;
  readonly hasMore: boolean;
}

/** A prompt that a server offers. */
export interface PromptInfo {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly { readonly name: string; readonly description?: string; readonly required?: boolean }[];
}

/** What a tool answered. A failed tool is an answer too: look at `isError`. */
export interface ToolAnswer {
  readonly content: readonly ContentBlock[];
  readonly structuredContent?: unknown;
  readonly isError: boolean;
  /** The text blocks of `content`, one per line: what a model is usually shown. */
  readonly text: string;
  readonly _meta?: Readonly<Record<string, unknown>>;
}

/** How far a call is, as the server tells. Of a task, `progress` counts the messages. */
export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** Settings of one tool call. */
export interface ToolCallOptions extends CallOptions {
  readonly onProgress?: (progress: Progress) => void;
}
