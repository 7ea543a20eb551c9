import { ConfigurationError } from '../../core/index.js';
import { checkOptions, hint, is } from '../../core/internal.js';
import { type APIAnswer, apiAnswer } from './api-answer.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { searchableTools } from './searchable-tools.js';
import { shortText } from './short-text.js';
import type { Tool, ToolAnnotations } from './tool.js';
import { writeMethods } from './write-method.js';

/** What is needed of an operation that `api.operations(document)` gives. */
export interface APIOperationSource {
  /** Unique in its document; letters, digits, `_` and `-`. */
  readonly name: string;
  readonly title?: string;
  readonly description: string;
  readonly method: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly deprecated: boolean;
  /** JSON Schema 2020-12 of an object. */
  readonly input: object;
  readonly annotations: ToolAnnotations;
  call(args: Readonly<Record<string, unknown>>, options: { readonly signal?: AbortSignal }): Promise<APIAnswer>;
}

/** Settings of {@link apiTools} with an OpenAPI document. */
export interface OpenAPIToolsOptions {
  /** The parsed document, OpenAPI 3.0 or 3.1. Requests go to the API's own base, never to the document's servers. */
  readonly openapi: unknown;
  /** Begins the tools' names: `shop` makes `shop_listOrders`. @default the operations' own names */
  readonly name?: string;
  /**
   * The operations that change something: by name, or all of a method (`POST`, `PUT`, `PATCH`, `DELETE`).
   *
   * @default none: the tools only read
   */
  readonly allow?: readonly string[];
  /** Which of the operations to offer at all, for example by their tags. @default all */
  readonly filter?: (operation: APIOperationSource) => boolean;
  /** Offers tools to search and to call with in place of one tool for each operation, see {@link searchableTools}. @default false */
  readonly search?: boolean;
}

/** Compiles a document; `APIIntegration.operations` has this form. */
export type CompileOperations = (document: unknown) => Iterable<APIOperationSource>;

/** A tool for each operation of a document that may be called. */
export function openAPITools(compile: CompileOperations | undefined, options: OpenAPIToolsOptions): Tool[] {
  checkOptions<OpenAPIToolsOptions>('apiTools', options, {
    openapi: is.required(is.object),
    name: is.text,
    allow: is.list,
    filter: is.function,
    search: is.flag,
  });
  const { openapi, name, allow = [], filter = () => true, search = false } = options;
  if (!compile)
    throw new ConfigurationError('apiTools.openapi needs an API with operations(document), as APIIntegration has', {
      field: 'apiTools.openapi',
    });
  const operations = [...compile(openapi)];
  checkAllowed(allow, operations);
  const mayCall = ({ name: own, method, annotations }: APIOperationSource): boolean =>
    annotations.readOnlyHint === true || allow.includes(own) || allow.includes(method);
  const tools = operations
    .filter((operation) => mayCall(operation) && filter(operation))
    .map((operation) => operationTool(operation, name === undefined ? operation.name : `${name}_${operation.name}`));
  return search ? searchableTools(tools, name === undefined ? {} : { name }) : tools;
}

/** @throws ConfigurationError for what is neither a writing method nor an operation */
function checkAllowed(allow: readonly string[], operations: readonly APIOperationSource[]): void {
  const names = new Set(operations.map(({ name }) => name));
  for (const entry of allow) {
    if (names.has(entry) || (writeMethods as readonly string[]).includes(entry)) continue;
    const near = hint(String(entry), [...names]);
    throw new ConfigurationError(
      `apiTools.allow: '${entry}' is neither an operation of the document nor one of ${writeMethods.join(', ')}${near.includes('known:') ? '' : near}`,
      { field: 'apiTools.allow' },
    );
  }
}

function operationTool(operation: APIOperationSource, name: string): Tool {
  const { title, description, deprecated, method, path, annotations, input } = operation;
  return defineTool(
    {
      name,
      ...(title === undefined ? {} : { title: shortText(title, 120) }),
      description: shortText(deprecated ? `Deprecated. ${description}` : description),
      input: fromJSONSchema(input as Readonly<Record<string, unknown>>),
      annotations,
    },
    (args, { signal }) => apiAnswer(`${method} ${path}`, () => operation.call(args, { signal })),
  );
}
