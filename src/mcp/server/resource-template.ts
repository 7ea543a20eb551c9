import type { Awaitable } from '../../core/index.js';
import type { URITemplate } from '../sdk/server-sdk.js';
import type { ResourceContents, ToolContext } from '../tools/tool.js';
import type { CacheHint } from './cache-hint.js';
import type { Completers } from './completion.js';
import { toContents } from './resource.js';

/** Values of a template's variables, decoded; those of a list (`{ids*}`) joined by commas. */
export type TemplateVariables = Readonly<Record<string, string>>;

/** A family of resources: `notes://{day}` stands for all URIs that fit. */
export interface ResourceTemplate {
  /** RFC 6570, and absolute: `orders://{id}/lines{?page}`. Unique within a server. */
  readonly uriTemplate: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** @default as for a resource, by what is read */
  readonly mimeType?: string;
  /** How long clients of 2026-07-28 may keep what they read. @default not at all */
  readonly cacheHint?: CacheHint;
  /** Suggests values of the variables while somebody types. */
  readonly complete?: Completers;
  /**
   * Reads the resource with these values. They come from outside: check them before they become part
   * of a path or a query. Undefined means that there is no such resource.
   */
  readonly content: (variables: TemplateVariables, context: ToolContext) => Awaitable<string | Uint8Array | undefined>;
}

/** @returns undefined when the template's function knows no such resource */
export async function readTemplate(
  template: ResourceTemplate,
  uri: string,
  variables: TemplateVariables,
  context: () => ToolContext,
): Promise<ResourceContents | undefined> {
  const value = await template.content(variables, context());
  return value === undefined ? undefined : toContents(uri, template.mimeType, value);
}

/** The variables of a URI that fits the template. */
export function matchTemplate(template: URITemplate, uri: string): TemplateVariables | undefined {
  const found = template.match(uri);
  if (!found) return undefined;
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, decode(value)]));
}

function decode(value: string | string[]): string {
  const text = Array.isArray(value) ? value.join(',') : value;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
