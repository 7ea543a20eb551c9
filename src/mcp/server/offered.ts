import { ConfigurationError } from '../../core/index.js';
import type { OptionCheck } from '../../core/internal.js';
import type { Tool } from '../tools/tool.js';
import type { Prompt } from './prompt.js';
import type { Resource } from './resource.js';
import type { ResourceTemplate } from './resource-template.js';

interface Kind {
  /** What to give instead, as it reads after "give". */
  readonly expected: string;
  /** The fields without which it is none; the first one names it. */
  readonly needs: readonly string[];
}

const kinds = {
  tool: { expected: 'a tool, as defineTool makes it, or an array of them', needs: ['name', 'handler'] },
  prompt: { expected: 'a prompt, as definePrompt makes it', needs: ['name', 'handler'] },
  resource: { expected: '{ uri, name, content }', needs: ['uri', 'name', 'content'] },
  template: { expected: '{ uriTemplate, name, content }', needs: ['uriTemplate', 'name', 'content'] },
} as const satisfies Record<string, Kind>;

/**
 * Refuses what is no tool, saying where it stands: what is often forgotten is the `await` before an
 * asynchronous set of tools.
 *
 * @throws ConfigurationError
 */
export function assertTool(value: unknown, field: string): asserts value is Tool {
  assertKind(value, field, kinds.tool);
}

/** @throws ConfigurationError */
export function assertPrompt(value: unknown, field: string): asserts value is Prompt {
  assertKind(value, field, kinds.prompt);
}

/** @throws ConfigurationError */
export function assertResource(value: unknown, field: string): asserts value is Resource {
  assertKind(value, field, kinds.resource);
}

/** @throws ConfigurationError */
export function assertTemplate(value: unknown, field: string): asserts value is ResourceTemplate {
  assertKind(value, field, kinds.template);
}

/** Tools and arrays of tools, each under a name of its own. */
export const toolList: OptionCheck = (value, field) => {
  const places = new Map<string, { readonly at: string; readonly tool: Tool }>();
  const look = (tool: unknown, at: string): void => {
    assertTool(tool, at);
    const first = places.get(tool.name);
    if (first) {
      const both = `"${first.tool.description}" and "${tool.description}" (${first.at} and ${at})`;
      const message = `Two tools are named '${tool.name}': ${both}; rename one, or give their sets different names`;
      throw new ConfigurationError(message, { field: at });
    }
    places.set(tool.name, { at, tool });
  };
  for (const [index, entry] of entries(value, field, kinds.tool)) {
    const at = `${field}[${index}]`;
    if (!Array.isArray(entry)) look(entry, at);
    else for (const [inner, tool] of entry.entries()) look(tool, `${at}[${inner}]`);
  }
};

export const promptList: OptionCheck = listOf(kinds.prompt);
export const resourceList: OptionCheck = listOf(kinds.resource);
export const templateList: OptionCheck = listOf(kinds.template);

function listOf(kind: Kind): OptionCheck {
  return (value, field) => {
    for (const [index, entry] of entries(value, field, kind)) assertKind(entry, `${field}[${index}]`, kind);
  };
}

function entries(value: unknown, field: string, kind: Kind): Iterable<[number, unknown]> {
  if (Array.isArray(value)) return value.entries();
  throw wrong(field, value, `an array, each entry of which is ${kind.expected}`, 'is no array');
}

function assertKind(value: unknown, field: string, kind: Kind): void {
  const [named = ''] = kind.needs;
  const fields = Object(value) as Readonly<Record<string, unknown>>;
  const isObject = typeof value === 'object' && value !== null && !isPromise(value);
  const missing = kind.needs.find((need) => fields[need] === undefined || fields[need] === '');
  const handler = kind.needs.includes('handler') ? fields.handler : undefined;
  if (isObject && missing === undefined && typeof fields[named] === 'string') {
    if (handler === undefined || typeof handler === 'function') return;
  }
  const name = isObject && typeof fields[named] === 'string' ? ` ('${String(fields[named]).slice(0, 128)}')` : '';
  throw wrong(`${field}${name}`, value, kind.expected, `has no ${missing ?? 'handler that is a function'}`, field);
}

function wrong(place: string, value: unknown, expected: string, otherwise: string, field: string = place): Error {
  const message = isPromise(value)
    ? `${place} is a promise: put 'await' before it, as in tools: [await upstreamTools(host)]`
    : typeof value === 'function'
      ? `${place} is the function ${value.name ? `'${value.name}'` : 'of an expression'}: call it, or give ${expected}`
      : typeof value === 'object' && value !== null
        ? `${place} ${otherwise}: give ${expected}`
        : `${place} is ${value === null ? 'null' : typeof value}: give ${expected}`;
  return new ConfigurationError(message, { field });
}

function isPromise(value: unknown): boolean {
  return typeof (Object(value) as { readonly then?: unknown }).then === 'function';
}
