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

/** How far a call is, as the server tells. */
export interface Progress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** Settings of one tool call. */
export interface ToolCallOptions extends CallOptions {
  readonly onProgress?: (progress: Progress) => void;
}
