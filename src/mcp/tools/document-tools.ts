import type { CallOptions } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { told } from './database-failure.js';
import { defineTool } from './define-tool.js';
import { DocumentGuard } from './document-guard.js';
import { documentRow } from './document-row.js';
import { fromJSONSchema } from './from-json-schema.js';
import type { Tool } from './tool.js';
import { ToolError } from './tool-error.js';
import { checkToolSet, type ToolSetOptions } from './tool-set.js';

type Values = Readonly<Record<string, unknown>>;

/** What `databaseTools` needs of a `MongoDatabase`. */
export interface DocumentSource {
  command(command: object, options: CallOptions): Promise<object>;
  collection(name: string, options: { readonly objectIds?: readonly string[] }): DocumentCollection;
}

/** What `databaseTools` needs of a collection. Values in filters are values, never operators. */
export interface DocumentCollection {
  findOne(filter: Values, options: CallOptions): Promise<object | null>;
  insertMany(documents: readonly object[], options: CallOptions): Promise<{ readonly insertedIds: readonly unknown[] }>;
  updateMany(
    filter: Values,
    update: { readonly $set: Values },
    options: CallOptions,
  ): Promise<{ readonly matchedCount: number; readonly modifiedCount: number }>;
  deleteMany(filter: Values, options: CallOptions): Promise<{ readonly deletedCount: number }>;
}

/** What a set of tools over documents may change. */
export type DocumentWrite = 'insert' | 'update' | 'delete';

/** Settings of `databaseTools` over a MongoDB database. */
export interface DocumentToolsOptions extends ToolSetOptions<DocumentWrite> {
  /** The collections that may be read and written. @default all but the server's own */
  readonly collections?: readonly string[];
  /** Documents of one answer, at most. @default 200 */
  readonly maxRows?: number;
  /** Characters of one answer's documents as JSON, at most. @default 262144 */
  readonly maxBytes?: number;
}

interface Asked {
  readonly collection: string;
  readonly filter?: Values;
  readonly sort?: Values;
  readonly projection?: Values;
  readonly limit?: number;
  readonly skip?: number;
  readonly pipeline?: readonly unknown[];
  readonly id?: unknown;
}

const collection = { type: 'string', minLength: 1 };
const filter = {
  type: 'object',
  description:
    'A filter in MongoDB\'s words: { "total": { "$gt": 100 } }. Dates are { "$date": "2026-01-31T00:00:00Z" }',
};
const equals = { type: 'object', minProperties: 1, description: 'Fields and the values they must have' };
const reading = { readOnlyHint: true, openWorldHint: false };
const writing = { readOnlyHint: false, destructiveHint: true, openWorldHint: false };

/** `databaseTools` over documents. */
export function documentTools(db: DocumentSource, options: DocumentToolsOptions): Tool[] {
  const { name: _, allow: __, ...limits } = options;
  checkOptions<Omit<DocumentToolsOptions, 'name' | 'allow'>>('databaseTools', limits, {
    collections: is.list,
    maxRows: is.count,
    maxBytes: is.count,
  });
  checkToolSet('databaseTools', options, ['insert', 'update', 'delete']);
  const { name = 'database', allow = [], maxRows = 200, maxBytes = 262_144 } = options;
  const guard = new DocumentGuard(options.collections);
  const reader = new DocumentReader(db, guard, maxRows, maxBytes);
  const writes = { insert: insertTool, update: updateTool, delete: deleteTool };
  return [
    readTool(`${name}_collections`, 'The names of the collections that can be read', {}, [], (__, signal) =>
      reader.collections(signal),
    ),
    readTool(
      `${name}_find`,
      `Documents of a MongoDB collection that match a filter. Ids are texts here: read one by its id with ${name}_get`,
      {
        collection,
        filter,
        sort: { type: 'object', description: 'Fields with 1 or -1, the first one first' },
        projection: { type: 'object', description: 'Fields with 1 to give them alone, or 0 to leave them out' },
        limit: { type: 'integer', minimum: 1, maximum: maxRows, default: Math.min(50, maxRows) },
        skip: { type: 'integer', minimum: 0 },
      },
      ['collection'],
      (asked, signal) => reader.find(asked, signal),
    ),
    readTool(
      `${name}_get`,
      'One document by its _id',
      { collection, id: { description: 'As another tool gave it' } },
      ['collection', 'id'],
      (asked, signal) => reader.get(asked, signal),
    ),
    readTool(
      `${name}_count`,
      'How many documents of a MongoDB collection match a filter',
      { collection, filter },
      ['collection'],
      (asked, signal) => reader.count(asked, signal),
    ),
    readTool(
      `${name}_aggregate`,
      'What an aggregation pipeline gives. It can only read: stages that write, and code, are refused.',
      { collection, pipeline: { type: 'array', items: { type: 'object' } } },
      ['collection', 'pipeline'],
      (asked, signal) => reader.aggregate(asked, signal),
    ),
    ...allow.map((write) => writes[write](db, guard, name)),
  ];
}

class DocumentReader {
  readonly #db: DocumentSource;
  readonly #guard: DocumentGuard;
  readonly #maxRows: number;
  readonly #maxBytes: number;

  constructor(db: DocumentSource, guard: DocumentGuard, maxRows: number, maxBytes: number) {
    this.#db = db;
    this.#guard = guard;
    this.#maxRows = maxRows;
    this.#maxBytes = maxBytes;
  }

  async collections(signal: AbortSignal): Promise<object> {
    const found = await this.#rows({ listCollections: 1, nameOnly: true }, Number.POSITIVE_INFINITY, signal);
    const names = found.map((row) => String((row as { readonly name?: unknown }).name));
    return { collections: names.filter((name) => this.#guard.mayShow(name)).sort() };
  }

  async find({ collection: name, limit = 50, skip, ...asked }: Asked, signal: AbortSignal): Promise<object> {
    const find = this.#guard.collection(name);
    const most = Math.min(limit, this.#maxRows);
    const [where, sort, projection] = [asked.filter, asked.sort, asked.projection].map((part, index) =>
      part === undefined ? undefined : this.#guard.reading(part, ['filter', 'sort', 'projection'][index] ?? ''),
    );
    const command = {
      find,
      filter: where ?? {},
      ...(sort ? { sort } : {}),
      ...(projection ? { projection } : {}),
      ...(skip ? { skip } : {}),
      limit: most + 1,
      batchSize: most + 1,
      singleBatch: true,
    };
    return this.#answer(await this.#rows(command, most, signal), most);
  }

  async aggregate({ collection: name, pipeline }: Asked, signal: AbortSignal): Promise<object> {
    const aggregate = this.#guard.collection(name);
    const most = this.#maxRows;
    const stages = [...this.#guard.pipeline(pipeline), { $limit: most + 1 }];
    const command = { aggregate, pipeline: stages, cursor: { batchSize: most + 1 } };
    return this.#answer(await this.#rows(command, most, signal), most);
  }

  async count({ collection: name, filter: where = {} }: Asked, signal: AbortSignal): Promise<object> {
    const aggregate = this.#guard.collection(name);
    const pipeline = [{ $match: this.#guard.reading(where, 'filter') }, { $count: 'count' }];
    const [row] = await this.#rows({ aggregate, pipeline, cursor: {} }, 1, signal);
    return { count: Number((row as { readonly count?: unknown } | undefined)?.count ?? 0) };
  }

  async get({ collection: name, id }: Asked, signal: AbortSignal): Promise<object> {
    const documents = this.#db.collection(this.#guard.collection(name), withIds({ _id: id }));
    const document = await told(() => documents.findOne({ _id: id }, { signal }));
    if (!document) throw new ToolError(`There is no document with this _id in '${name}'`);
    return { document: documentRow(document) };
  }

  /** One batch is all that is read: what is left on the server is let go. */
  async #rows(command: object, most: number, signal: AbortSignal): Promise<readonly unknown[]> {
    const { cursor } = (await told(() => this.#db.command(command, { signal }))) as {
      readonly cursor?: { readonly firstBatch?: readonly unknown[]; readonly id?: unknown; readonly ns?: unknown };
    };
    if (cursor?.id && String(cursor.id) !== '0') {
      const name = String(cursor.ns).slice(String(cursor.ns).indexOf('.') + 1);
      await this.#db.command({ killCursors: name, cursors: [cursor.id] }, { signal }).catch(() => undefined);
    }
    return (cursor?.firstBatch ?? []).slice(0, most + 1);
  }

  #answer(found: readonly unknown[], most: number): object {
    const rows: unknown[] = [];
    let left = this.#maxBytes;
    for (const row of found.slice(0, most).map(documentRow)) {
      left -= JSON.stringify(row).length;
      if (left < 0) return { rows, truncated: 'more bytes than shown' };
      rows.push(row);
    }
    return found.length > most ? { rows, truncated: 'more rows than shown' } : { rows };
  }
}

/** Texts that look like object ids are taken as such, in the field that has ids. */
function withIds(values: Values | undefined): { readonly objectIds?: readonly string[] } {
  return typeof values?._id === 'string' && /^[\da-f]{24}$/i.test(values._id) ? { objectIds: ['_id'] } : {};
}

function readTool(
  name: string,
  description: string,
  properties: object,
  required: readonly string[],
  run: (asked: Asked, signal: AbortSignal) => Promise<object>,
): Tool {
  const input = fromJSONSchema<Asked>({
    type: 'object',
    properties,
    required: [...required],
    additionalProperties: false,
  });
  return defineTool({ name, description, input, annotations: reading }, (asked, { signal }) => run(asked, signal));
}

function insertTool(db: DocumentSource, guard: DocumentGuard, name: string): Tool {
  return defineTool(
    {
      name: `${name}_insert`,
      description: 'Insert documents into a MongoDB collection',
      input: fromJSONSchema<{ collection: string; documents: readonly object[] }>({
        type: 'object',
        properties: {
          collection,
          documents: { type: 'array', minItems: 1, maxItems: 1_000, items: { type: 'object' } },
        },
        required: ['collection', 'documents'],
        additionalProperties: false,
      }),
      annotations: { ...writing, destructiveHint: false },
    },
    async ({ collection: own, documents }, { signal }) => {
      const target = db.collection(guard.collection(own), {});
      const { insertedIds } = await told(() => target.insertMany(documents, { signal }));
      return { insertedIds: insertedIds.map(documentRow) };
    },
  );
}

function updateTool(db: DocumentSource, guard: DocumentGuard, name: string): Tool {
  return defineTool(
    {
      name: `${name}_update`,
      description: 'Set fields of every document whose fields have these values',
      input: fromJSONSchema<{ collection: string; equals: Values; set: Values }>({
        type: 'object',
        properties: { collection, equals, set: { type: 'object', minProperties: 1, description: 'The new values' } },
        required: ['collection', 'equals', 'set'],
        additionalProperties: false,
      }),
      annotations: writing,
    },
    async ({ collection: own, equals: where, set }, { signal }) => {
      const target = db.collection(guard.collection(own), withIds(where));
      const { matchedCount, modifiedCount } = await told(() => target.updateMany(where, { $set: set }, { signal }));
      return { matchedCount, modifiedCount };
    },
  );
}

function deleteTool(db: DocumentSource, guard: DocumentGuard, name: string): Tool {
  return defineTool(
    {
      name: `${name}_delete`,
      description: 'Delete every document whose fields have these values',
      input: fromJSONSchema<{ collection: string; equals: Values }>({
        type: 'object',
        properties: { collection, equals },
        required: ['collection', 'equals'],
        additionalProperties: false,
      }),
      annotations: writing,
    },
    async ({ collection: own, equals: where }, { signal }) => {
      const target = db.collection(guard.collection(own), withIds(where));
      const { deletedCount } = await told(() => target.deleteMany(where, { signal }));
      return { deletedCount };
    },
  );
}
