import { SaflaError } from '../../core/index.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { readable } from './readable.js';
import type { Tool } from './tool.js';
import { ToolError } from './tool-error.js';
import { checkToolSet, type ToolSetOptions } from './tool-set.js';

/** What {@link apiTools} needs of an `APIIntegration`. */
export interface APISource {
  request(
    path: string,
    options: {
      readonly method: 'GET' | WriteMethod;
      readonly query?: Readonly<Record<string, string | number | boolean>>;
      readonly body?: unknown;
      readonly signal?: AbortSignal;
    },
  ): Promise<{ readonly data: unknown; readonly status: number; readonly fromCache?: boolean }>;
}

/** A method that changes something. */
export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const writeMethods: readonly WriteMethod[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

const path = { type: 'string', description: 'Path below the base URL, such as /orders/1', minLength: 1 };
const query = {
  type: 'object',
  description: 'Query parameters',
  additionalProperties: { type: ['string', 'number', 'boolean'] },
};

interface Arguments {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
}

/**
 * Puts a REST API behind MCP: `api_get`, and `api_post` and its like for the methods in `allow`. The
 * API's own guards apply: a model cannot leave the base URL, and never sees the credential. An
 * answer outside 200-299 becomes a readable error with its status, as does a path that is refused.
 *
 * @example new MCPServer({ name: 'shop', version: '1.0.0', tools: [apiTools(shop, { name: 'shop', allow: ['POST'] })] })
 */
export function apiTools(api: APISource, options: ToolSetOptions<WriteMethod> = {}): Tool[] {
  checkToolSet('apiTools', options, writeMethods);
  const { name = 'api', allow = [] } = options;
  return [
    defineTool(
      {
        name: `${name}_get`,
        description: `Read from the ${name} REST API with GET`,
        input: fromJSONSchema<Arguments>({
          type: 'object',
          properties: { path, query },
          required: ['path'],
          additionalProperties: false,
        }),
        annotations: { readOnlyHint: true, openWorldHint: true },
      },
      (args, { signal }) => send(api, 'GET', args, signal),
    ),
    ...allow.map((method) => writeTool(api, name, method)),
  ];
}

function writeTool(api: APISource, name: string, method: WriteMethod): Tool {
  const hasBody = method !== 'DELETE';
  const body = { description: 'Request body, sent as JSON' };
  return defineTool(
    {
      name: `${name}_${method.toLowerCase()}`,
      description: `Change something in the ${name} REST API with ${method}`,
      input: fromJSONSchema<Arguments>({
        type: 'object',
        properties: { path, query, ...(hasBody ? { body } : {}) },
        required: ['path'],
        additionalProperties: false,
      }),
      annotations: {
        readOnlyHint: false,
        destructiveHint: method !== 'POST',
        idempotentHint: method === 'PUT' || method === 'DELETE',
        openWorldHint: true,
      },
    },
    (args, { signal }) => send(api, method, args, signal),
  );
}

async function send(
  api: APISource,
  method: 'GET' | WriteMethod,
  args: Arguments,
  signal: AbortSignal,
): Promise<object> {
  const { path: target, ...rest } = args;
  try {
    const {
      status,
      fromCache = false,
      data,
    } = await readable(['VALIDATION'], () => api.request(target, { method, ...rest, signal }));
    return { status, fromCache, data: data ?? null };
  } catch (error) {
    const { status } = error as { status?: unknown };
    if (SaflaError.is(error) && typeof status === 'number')
      throw new ToolError(`${method} ${target} was answered with status ${status}`, { cause: error });
    throw error;
  }
}
