import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionCheck } from '../../core/internal.js';
import { checkSource } from './check-source.js';
import { told } from './database-failure.js';
import { databaseRow } from './database-row.js';
import { defineTool } from './define-tool.js';
import { type DocumentSource, type DocumentToolsOptions, documentTools } from './document-tools.js';
import { fromJSONSchema } from './from-json-schema.js';
import type { Tool } from './tool.js';

/** Settings of one statement; times are in milliseconds. */
interface ReadLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** What {@link databaseTools} needs of a `PostgresDatabase`. */
export interface DatabaseSource {
  /** One statement in a read-only transaction, within limits. */
  read(
    text: string,
    values: readonly unknown[],
    options: ReadLimits,
  ): Promise<{ readonly rows: readonly object[]; readonly truncated: 'rows' | 'bytes' | undefined }>;
  query(
    text: string,
    values: readonly unknown[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly object[] & { readonly rowCount: number }>;
}

/** One statement of {@link databaseTools}, which becomes a tool. */
export interface DatabaseQuery {
  /** What it gives and when to use it: the model chooses by this text. */
  readonly description: string;
  /** The statement, with `$1`, `$2`, ... for the parameters in their order. */
  readonly sql: string;
  /**
   * JSON Schema of each parameter, in the order of `$1`, `$2`, ... One with a `default` may be left out.
   *
   * @default none
   */
  readonly params?: Readonly<Record<string, object>>;
  /** False for a statement that writes; needs `readOnly: false` of the set as well. @default true */
  readonly readOnly?: boolean;
}

/** Settings of {@link databaseTools}. */
export interface DatabaseToolsOptions {
  /** Begins the tools' names. @default 'database' */
  readonly name?: string;
  /** Named statements, one tool each. @default none: the model writes its own, which can only read */
  readonly queries?: Readonly<Record<string, DatabaseQuery>>;
  /** False lets the queries write that say so themselves. @default true */
  readonly readOnly?: boolean;
  /** Rows of one answer, at most. @default 200 */
  readonly maxRows?: number;
  /** Bytes of one answer's values, at most. @default 262144 */
  readonly maxBytes?: number;
}

const queries: OptionCheck = (value, field) => {
  is.object(value, field);
  for (const [name, query] of Object.entries(value as Record<string, DatabaseQuery>)) {
    const owner = `${field}.${name}`;
    checkOptions<DatabaseQuery>(owner, query, {
      description: is.required(is.text),
      sql: is.required(is.text),
      params: is.object,
      readOnly: is.flag,
    });
    for (const [param, schema] of Object.entries(query.params ?? {})) is.object(schema, `${owner}.params.${param}`);
  }
};

/**
 * Puts a database behind MCP: PostgreSQL, or MongoDB with `database_collections`, `database_find`,
 * `database_get`, `database_count` and `database_aggregate`, which can only read, and the writes in `allow`.
 *
 * Over PostgreSQL: with `queries`, one tool for each statement you wrote. Without,
 * `database_tables` and `database_query`, by which a model reads with statements of its own: in a
 * read-only transaction, within limits of rows, bytes and time. What its user may see is for the
 * database to limit: give it a role of its own. Cancelling a call stops the statement on the server.
 *
 * @throws ConfigurationError, also for a query that writes in a set that is read-only
 * @example
 * tools: [databaseTools(db, { queries: { orders_of: { description: 'Orders of a customer',
 *   sql: 'select * from orders where customer = $1', params: { customer: { type: 'string' } } } } })]
 */
export function databaseTools(db: DatabaseSource, options?: DatabaseToolsOptions): Tool[];
export function databaseTools(db: DocumentSource, options?: DocumentToolsOptions): Tool[];
export function databaseTools(
  db: DatabaseSource | DocumentSource,
  options: DatabaseToolsOptions | DocumentToolsOptions = {},
): Tool[] {
  if (typeof (Object(db) as Partial<DocumentSource>).collection === 'function') {
    checkSource('databaseTools', db, ['command', 'collection'], 'a MongoDatabase');
    return documentTools(db as DocumentSource, options as DocumentToolsOptions);
  }
  checkSource('databaseTools', db, ['read', 'query'], 'a PostgresDatabase or a MongoDatabase');
  return sqlTools(db as DatabaseSource, options as DatabaseToolsOptions);
}

function sqlTools(db: DatabaseSource, options: DatabaseToolsOptions): Tool[] {
  checkOptions<DatabaseToolsOptions>('databaseTools', options, {
    name: is.text,
    queries,
    readOnly: is.flag,
    maxRows: is.count,
    maxBytes: is.count,
  });
  const { name = 'database', readOnly = true, maxRows = 200, maxBytes = 262_144 } = options;
  const reader = new Reader(db, maxRows, maxBytes);
  if (!options.queries) return [queryTool(reader, name), tablesTool(reader, name)];
  return Object.entries(options.queries).map(([own, query]) => {
    const reads = query.readOnly ?? true;
    if (!reads && readOnly) {
      const message = `databaseTools.queries.${own} writes; allow it with readOnly: false`;
      throw new ConfigurationError(message, { field: `databaseTools.queries.${own}.readOnly` });
    }
    return namedTool(reads ? reader.read : reader.write, `${name}_${own}`, query, reads);
  });
}

type Run = (sql: string, values: readonly unknown[], signal: AbortSignal) => Promise<object>;

/** Runs statements and gives rows that JSON can carry. */
class Reader {
  readonly #db: DatabaseSource;
  readonly #limits: Omit<ReadLimits, 'signal'>;

  constructor(db: DatabaseSource, maxRows: number, maxBytes: number) {
    this.#db = db;
    this.#limits = { maxRows, maxBytes };
  }

  readonly read: Run = (sql, values, signal) =>
    told(async () => {
      const { rows, truncated } = await this.#db.read(sql, values, { ...this.#limits, signal });
      return { rows: rows.map(databaseRow), ...(truncated ? { truncated: `more ${truncated} than shown` } : {}) };
    });

  readonly write: Run = (sql, values, signal) =>
    told(async () => {
      const rows = await this.#db.query(sql, values, { signal });
      return { rowCount: rows.rowCount, rows: rows.slice(0, this.#limits.maxRows).map(databaseRow) };
    });
}

function namedTool(run: Run, name: string, query: DatabaseQuery, reads: boolean): Tool {
  const params = Object.entries(query.params ?? {});
  return defineTool(
    {
      name,
      description: query.description,
      input: fromJSONSchema<Record<string, unknown>>({
        type: 'object',
        properties: Object.fromEntries(params),
        required: params.filter(([, schema]) => !('default' in schema)).map(([param]) => param),
        additionalProperties: false,
      }),
      annotations: reads
        ? { readOnlyHint: true, openWorldHint: false }
        : { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    },
    (args, { signal }) => {
      const values = params.map(([param, schema]) => args[param] ?? (schema as { default?: unknown }).default ?? null);
      return run(query.sql, values, signal);
    },
  );
}

function queryTool(reader: Reader, name: string): Tool {
  return defineTool(
    {
      name: `${name}_query`,
      description: 'Read from the PostgreSQL database with one SQL statement. Nothing can be changed by it.',
      input: fromJSONSchema<{ sql: string; params?: unknown[] }>({
        type: 'object',
        properties: {
          sql: { type: 'string', minLength: 1, description: 'One select, with, values, table, show or explain' },
          params: { type: 'array', description: 'Values of $1, $2, ...' },
        },
        required: ['sql'],
        additionalProperties: false,
      }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ sql, params = [] }, { signal }) => reader.read(sql, params, signal),
  );
}

const tables = `
  select table_schema as "schema", table_name as "table",
    json_agg(json_build_object('name', column_name, 'type', data_type, 'nullable', is_nullable = 'YES') order by ordinal_position) as "columns"
  from information_schema.columns
  where table_schema not in ('pg_catalog', 'information_schema')
  group by 1, 2 order by 1, 2`;

function tablesTool(reader: Reader, name: string): Tool {
  return defineTool(
    {
      name: `${name}_tables`,
      description: 'The tables and views of the database that may be seen, with their columns',
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (_, { signal }) => reader.read(tables, [], signal),
  );
}
