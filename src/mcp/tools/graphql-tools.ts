import { type CallOptions, ConfigurationError, SaflaError } from '../../core/index.js';
import { checkOptions, hint, is } from '../../core/internal.js';
import { checkSource } from './check-source.js';
import { defineTool } from './define-tool.js';
import { fromJSONSchema } from './from-json-schema.js';
import { GraphQLArguments } from './graphql-arguments.js';
import { GraphQLSelection } from './graphql-selection.js';
import { type Field, type GraphQLModule, loadGraphQL, type OperationNode, type Schema } from './load-graphql.js';
import { shortText } from './short-text.js';
import type { Tool } from './tool.js';
import { ToolError } from './tool-error.js';

/** How an operation is sent. */
interface Sending extends CallOptions {
  readonly operationName?: string;
}

/** What {@link graphqlTools} needs of a `GraphQLIntegration`. */
export interface GraphQLSource {
  query(document: string, variables: Record<string, unknown>, options: Sending): Promise<unknown>;
  mutation(document: string, variables: Record<string, unknown>, options: Sending): Promise<unknown>;
}

/** Settings of {@link graphqlTools}. One of `documents` and `introspect`, or both. */
export interface GraphQLToolsOptions extends CallOptions {
  /** Texts with named operations; each becomes a tool of its name, described by a comment above it. @default none */
  readonly documents?: readonly string[];
  /**
   * Asks the server for its types. Without `documents` each field of its query type becomes a tool; with
   * them, the arguments' schemas say what enums and input objects are. @default false
   */
  readonly introspect?: boolean;
  /** The mutations to offer: names of operations, or of fields of the mutation type. @default none */
  readonly allow?: readonly string[];
  /** Begins the tools' names: `shop` makes `shop_orders`. @default the operations' or fields' own names */
  readonly name?: string;
  /** How many levels of objects are asked for when the caller names no fields. @default 2 */
  readonly depth?: number;
}

/**
 * Puts a GraphQL API behind MCP: your own documents, or what its schema offers. A query is a tool that
 * reads; mutations come when they are named. Variables are checked before anything is sent, and the
 * server's errors are told without what was sent.
 *
 * @throws ConfigurationError; what the introspection query throws
 * @example tools: [await graphqlTools(shop, { documents: ['query orders($first: Int!) { orders(first: $first) { id total } }'] })]
 */
export async function graphqlTools(gql: GraphQLSource, options: GraphQLToolsOptions): Promise<Tool[]> {
  checkSource('graphqlTools', gql, ['query', 'mutation'], 'a GraphQLIntegration');
  checkOptions<GraphQLToolsOptions>('graphqlTools', options, {
    documents: is.list,
    introspect: is.flag,
    allow: is.list,
    name: is.text,
    depth: is.count,
    signal: is.anything,
    timeoutMs: is.anything,
  });
  const { documents, introspect = false, allow = [], name, depth = 2, ...limits } = options;
  if (!documents && !introspect) {
    const message = 'graphqlTools needs documents, or introspect: true for what the schema of the server offers';
    throw new ConfigurationError(message, { field: 'graphqlTools.documents' });
  }
  const graphql = await loadGraphQL();
  const schema = introspect ? await schemaOf(gql, graphql, limits) : undefined;
  const offers = documents ? ofDocuments(graphql, documents, schema) : ofSchema(graphql, schema, depth);
  checkAllowed(allow, offers);
  return offers
    .filter(({ own, writes }) => !writes || allow.includes(own))
    .map((offer) => toTool(gql, offer, name === undefined ? offer.own : `${name}_${offer.own}`));
}

/** An operation that could become a tool. */
interface Offer {
  readonly own: string;
  readonly description: string;
  readonly writes: boolean;
  readonly input: Readonly<Record<string, unknown>>;
  readonly operationName: string;
  /** The document, and its variables, for arguments that were checked. @throws ToolError */
  readonly write: (args: Record<string, unknown>) => { document: string; variables: Record<string, unknown> };
}

async function schemaOf(gql: GraphQLSource, graphql: GraphQLModule, limits: CallOptions): Promise<Schema> {
  const data = await gql.query(graphql.getIntrospectionQuery(), {}, limits);
  return graphql.buildClientSchema(data as Parameters<GraphQLModule['buildClientSchema']>[0]);
}

function ofDocuments(graphql: GraphQLModule, documents: readonly string[], schema: Schema | undefined): Offer[] {
  const types = new GraphQLArguments(graphql, schema);
  return documents.flatMap((document, index) => {
    const field = `graphqlTools.documents.${index}`;
    const operations = parse(graphql, document, field);
    return operations.map((operation): Offer => {
      const own = operation.name?.value;
      if (own === undefined || operation.operation === 'subscription')
        throw new ConfigurationError(`${field} must hold queries and mutations that have a name`, { field });
      return {
        own,
        description: commentAbove(document, operation) ?? `The ${operation.operation} ${own}`,
        writes: operation.operation === 'mutation',
        input: types.ofOperation(operation.variableDefinitions ?? []),
        operationName: own,
        write: (variables) => ({ document, variables }),
      };
    });
  });
}

function parse(graphql: GraphQLModule, document: unknown, field: string): OperationNode[] {
  is.text(document, field);
  try {
    const { definitions } = graphql.parse(document as string);
    return definitions.filter((node) => node.kind === graphql.Kind.OPERATION_DEFINITION);
  } catch (cause) {
    throw new ConfigurationError(`${field} is not a GraphQL document`, { field, cause });
  }
}

/** GraphQL's own place for the description of an operation is a comment. */
function commentAbove(document: string, { loc }: OperationNode): string | undefined {
  const lines = document
    .slice(0, loc?.start ?? 0)
    .trimEnd()
    .split('\n');
  const comment: string[] = [];
  for (const line of lines.reverse()) {
    const [, text] = /^\s*#\s?(.*)$/.exec(line) ?? [];
    if (text === undefined) break;
    comment.unshift(text);
  }
  return comment.join('\n').trim() || undefined;
}

function ofSchema(graphql: GraphQLModule, schema: Schema | undefined, depth: number): Offer[] {
  const types = new GraphQLArguments(graphql, schema);
  const typesOf = (type: unknown) => (graphql.isUnionType(type) ? (schema?.getPossibleTypes(type) ?? []) : []);
  const selections = new GraphQLSelection(graphql, typesOf);
  const fieldsOf = (kind: 'query' | 'mutation'): Offer[] => {
    const root = kind === 'query' ? schema?.getQueryType() : schema?.getMutationType();
    return Object.values(root?.getFields() ?? {}).map((field) =>
      ofField(graphql, types, selections, kind, field, depth),
    );
  };
  return [...fieldsOf('query'), ...fieldsOf('mutation')];
}

function ofField(
  graphql: GraphQLModule,
  types: GraphQLArguments,
  selections: GraphQLSelection,
  kind: 'query' | 'mutation',
  { name, description, deprecationReason, args, type }: Field,
  depth: number,
): Offer {
  const input = types.ofField(args);
  const selection = selections.of(type, depth);
  const canSelect = selection !== '' && !Object.hasOwn(input.properties, 'selection');
  const variables = args.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
  const passed = args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const head = `${kind} ${name}${variables && `(${variables})`} { ${name}${passed && `(${passed})`}`;
  const choice = { type: 'string', description: `Fields in place of the usual ones: ${shortText(selection, 200)}` };
  return {
    own: name,
    description: `${deprecationReason ? `Deprecated: ${deprecationReason}. ` : ''}${description || `The ${kind} ${name}`}`,
    writes: kind === 'mutation',
    input: canSelect ? { ...input, properties: { ...input.properties, selection: choice } } : input,
    operationName: name,
    write: ({ selection: chosen, ...rest }) => {
      const given = canSelect ? rest : { ...rest, ...(chosen === undefined ? {} : { selection: chosen }) };
      const fields = canSelect && chosen !== undefined ? selected(graphql, String(chosen)) : selection;
      return { document: `${head} ${fields} }`, variables: given };
    },
  };
}

/**
 * What a caller wrote as a selection, and nothing beside it.
 *
 * @throws ToolError
 */
function selected(graphql: GraphQLModule, text: string): string {
  try {
    const { definitions } = graphql.parse(text.trim().startsWith('{') ? text : `{ ${text} }`, { maxTokens: 2_000 });
    const [only, ...others] = definitions;
    if (only?.kind === graphql.Kind.OPERATION_DEFINITION && others.length === 0)
      return graphql.print(only.selectionSet);
  } catch {
    // Told below.
  }
  throw new ToolError(`selection must be the fields of one selection set, such as { id name owner { id } }`);
}

/** @throws ConfigurationError for what is no mutation */
function checkAllowed(allow: readonly string[], offers: readonly Offer[]): void {
  const names = offers.filter(({ writes }) => writes).map(({ own }) => own);
  for (const entry of allow) {
    if (names.includes(entry)) continue;
    const near = hint(String(entry), names);
    const message = `graphqlTools.allow: there is no mutation '${entry}'${near.includes('known:') && names.length > 20 ? '' : near}`;
    throw new ConfigurationError(message, { field: 'graphqlTools.allow' });
  }
}

function toTool(gql: GraphQLSource, offer: Offer, name: string): Tool {
  const { description, input, writes, operationName, write } = offer;
  return defineTool(
    {
      name,
      description: shortText(description),
      input: fromJSONSchema<Record<string, unknown>>(input),
      annotations: writes
        ? { readOnlyHint: false, destructiveHint: true, openWorldHint: true }
        : { readOnlyHint: true, openWorldHint: true },
    },
    async (args, { signal }) => {
      const { document, variables } = write(args);
      try {
        return await gql[writes ? 'mutation' : 'query'](document, variables, { operationName, signal });
      } catch (error) {
        throw readableFailure(error);
      }
    },
  );
}

/** The server's own words, with what was sent masked; where the server is stays out of it. */
function readableFailure(error: unknown): unknown {
  if (!SaflaError.is(error)) return error;
  if (error.code === 'VALIDATION') return new ToolError(error.message, { cause: error });
  const { errors } = error as { errors?: readonly { readonly message: string }[] };
  if (error.code !== 'GRAPHQL_REQUEST' || !errors) return error;
  const texts = errors.slice(0, 10).map(({ message }) => message);
  return new ToolError(`The GraphQL server answered: ${texts.join('; ')}`, { cause: error });
}
