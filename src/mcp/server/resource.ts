import type { Awaitable } from '../../core/index.js';
import type { ResourceContents } from '../tools/tool.js';

/** A text, bytes, or a function that is asked at every read. */
export type ResourceContent = string | Uint8Array | (() => Awaitable<string | Uint8Array>);

/** What a resource is, beside its URI. */
export interface ResourceDefinition {
  readonly name: string;
  readonly description?: string;
  /** @default `text/plain` for a text, `application/octet-stream` for bytes; absent in lists when not given */
  readonly mimeType?: string;
  readonly content: ResourceContent;
}

/** A resource with its URI, as `MCPServer`'s `resources` takes it. */
export interface Resource extends ResourceDefinition {
  /** An absolute URI of any scheme; unique within a server. */
  readonly uri: string;
}

/** Reads a resource as it is now. */
export async function readResource(resource: Resource): Promise<ResourceContents> {
  const { uri, content } = resource;
  const value = typeof content === 'function' ? await content() : content;
  if (typeof value === 'string') return { uri, mimeType: resource.mimeType ?? 'text/plain', text: value };
  const blob = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  return { uri, mimeType: resource.mimeType ?? 'application/octet-stream', blob };
}
