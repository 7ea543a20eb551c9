import { type APIAnswer, apiAnswer } from './api-answer.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { type APIOperationSource, type OpenAPIToolsOptions, openAPITools } from './openapi-tools.js';
import type { Tool } from './tool.js';
import { checkToolSet, type ToolSetOptions } from './tool-set.js';
import { type WriteMethod, writeMethods } from './write-method.js';

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
  ): Promise<APIAnswer>;
  /** Needed for an OpenAPI document only. */
  operations?(document: unknown): Iterable<APIOperationSource>;
}

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
 * Puts a REST API behind MCP: `api_get`, and `api_post` and its like for the methods in `allow`. With an
 * `openapi` document, one tool for each of its operations that reads, and for those that `allow` names;
 * operations that cannot be called are in `api.operations(document).unsupported`.
 *
 * The API's own guards apply: a model cannot leave the base URL, and never sees the credential. An
 * answer outside 200-299 becomes a readable error with its status, as does a path that is refused.
 *
 * @throws ConfigurationError; ValidationError for what is no OpenAPI document
 * @example new MCPServer({ name: 'shop', version: '1.0.0', tools: [apiTools(shop, { openapi, allow: ['createOrder'] })] })
 */
export function apiTools(api: APISource, options: OpenAPIToolsOptions | ToolSetOptions<WriteMethod> = {}): Tool[] {
  checkSource('apiTools', api, ['request'], 'an APIIntegration');
  if ('openapi' in options) return openAPITools(api.operations?.bind(api), options);
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

function send(api: APISource, method: 'GET' | WriteMethod, args: Arguments, signal: AbortSignal): Promise<object> {
  const { path: target, ...rest } = args;
  return apiAnswer(`${method} ${target}`, () => api.request(target, { method, ...rest, signal }));
}
