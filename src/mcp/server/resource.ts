import type { Awaitable } from '../../core/index.js';
import type { ResourceContents, ToolContext } from '../tools/tool.js';
import type { CacheHint } from './cache-hint.js';

/** A text, bytes, or a function that is asked at every read. */
export type ResourceContent = string | Uint8Array | ((context: ToolContext) => Awaitable<string | Uint8Array>);

/** What a resource is, beside its URI. */
export interface ResourceDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** @default `text/plain` for a text, `application/octet-stream` for bytes; absent in lists when not given */
  readonly mimeType?: string;
  /** How long clients of 2026-07-28 may keep what they read. @default not at all */
  readonly cacheHint?: CacheHint;
  readonly content: ResourceContent;
}

/** A resource with its URI, as `MCPServer`'s `resources` takes it. */
export interface Resource extends ResourceDefinition {
  /** An absolute URI of any scheme; unique within a server. */
  readonly uri: string;
}

/** Reads a resource as it is now. */
export async function readResource(resource: Resource, context: () => ToolContext): Promise<ResourceContents> {
  const { uri, content, mimeType } = resource;
  return toContents(uri, mimeType, typeof content === 'function' ? await content(context()) : content);
}

/** The contents of a resource as MCP writes them. */
export function toContents(uri: string, mimeType: string | undefined, value: string | Uint8Array): ResourceContents {
  if (typeof value === 'string') return { uri, mimeType: mimeType ?? 'text/plain', text: value };
  const blob = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return { uri, mimeType: mimeType ?? 'application/octet-stream', blob };
}
