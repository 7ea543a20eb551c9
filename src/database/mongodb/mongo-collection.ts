import { type CallOptions, type StandardSchemaV1, UnsupportedError } from '../../core/index.js';
import { is } from '../../core/internal.js';
import type { MongoDocument } from '../../drivers/mongodb/index.js';
import { DatabaseError } from '../errors/index.js';
import { type BulkOperation, encodeBulk } from './bulk-operation.js';
import { type ChangeStream, type ChangeStreamOptions, openChangeStream } from './change-stream.js';
import { type CollectionWork, type CursorSource, cursorRows } from './cursor-rows.js';
import { decodeDocument } from './decode-document.js';
import { DocumentCodec } from './document-codec.js';
import { encodePipeline } from './encode-pipeline.js';
import { encodeUpdate } from './encode-update.js';
import { encodeFilter } from './filter-encoder.js';
import {
  collectionOptions,
  type MongoBulkOptions,
  type MongoCollectionOptions,
  type MongoIndexOptions,
  type MongoModifyOptions,
  type MongoUpdateOptions,
  type Stored,
} from './mongo-collection-options.js';
import type { MongoConnection, MongoTurn } from './mongo-connection.js';
import type { MongoFilter, MongoUpdate } from './mongo-filter.js';
import type {
  MongoBulkResult,
  MongoDeleteResult,
  MongoInsertManyResult,
  MongoInsertResult,
  MongoUpdateResult,
} from './mongo-results.js';
import { checkCollectionName, checkFieldPath, refuse } from './names.js';
import type { ObjectIds } from './object-ids.js';
import { driverFindOptions, driverSort, type MongoFindOptions } from './read-options.js';

/**
 * The documents of one collection. Filters and updates are checked before anything is sent: a value from
 * outside is a value, whatever it looks like; operators come from `where`.
 *
 * @example
 * const users = db.collection('users', User);
 * await users.insertOne({ email, age: 30 });
 * const adults = await users.find({ age: where.gte(18) }, { sort: { age: -1 }, limit: 20 });
 */
export class MongoCollection<T extends object = MongoDocument> {
  readonly name: string;
  readonly #connection: MongoConnection;
  readonly #codec: DocumentCodec<T>;
  readonly #turn: MongoTurn | undefined;
  readonly #maxDocuments: number;

  /** @internal */
  constructor(
    name: string,
    given: MongoCollectionOptions<T> | StandardSchemaV1<unknown, T>,
    owner: { readonly connection: MongoConnection; readonly maxDocuments: number; readonly turn?: MongoTurn },
  ) {
    checkCollectionName(name);
    this.name = name;
    this.#codec = new DocumentCodec(name, collectionOptions(name, given));
    this.#connection = owner.connection;
    this.#maxDocuments = owner.maxDocuments;
    this.#turn = owner.turn;
  }

  /**
   * The documents that match, in an array. For any number of them use {@link MongoCollection.stream}.
   *
   * @throws DatabaseError of kind `'resources'` when no `limit` is given and more than `maxDocuments` match
   */
  async find(filter: MongoFilter<T>, options: MongoFindOptions = {}): Promise<Stored<T>[]> {
    const found = driverFindOptions(options, 'find');
    const { limit } = options;
    const most = limit ?? this.#maxDocuments;
    return await this.#call('find', options, async (collection, call, ids) => {
      const asked = Number.isFinite(most) ? { limit: limit === undefined ? most + 1 : most } : {};
      const cursor = collection.find(encodeFilter(filter, ids), { ...call.abortable, ...found, ...asked });
      const documents = await cursor.toArray();
      if (limit === undefined && documents.length > most) {
        throw new DatabaseError(
          `find on ${this.name} matches more than ${most} documents; give a limit, or read them by stream()`,
          { kind: 'resources', table: this.name },
        );
      }
      return await this.#codec.read(documents, ids, options);
    });
  }

  /**
   * The documents that match, fetched in batches while they are read. Leaving the loop ends it. Without
   * `timeoutMs` it takes as long as the loop does.
   */
  stream(filter: MongoFilter<T>, options: MongoFindOptions = {}): AsyncIterable<Stored<T>> {
    const found = driverFindOptions(options, 'stream');
    const limit = options.limit === undefined || !Number.isFinite(options.limit) ? {} : { limit: options.limit };
    return this.#iterate('stream', options, {
      open: (collection, common, ids) => collection.find(encodeFilter(filter, ids), { ...common, ...found, ...limit }),
      read: (documents, ids) => this.#codec.read(documents, ids, options),
    });
  }

  /** The first document that matches, null when there is none. */
  async findOne(
    filter: MongoFilter<T>,
    options: Omit<MongoFindOptions, 'limit' | 'batchSize'> = {},
  ): Promise<Stored<T> | null> {
    const { batchSize: _, ...found } = driverFindOptions(options, 'findOne');
    return await this.#call('findOne', options, async (collection, call, ids) => {
      const document = await collection.findOne(encodeFilter(filter, ids), { ...call.abortable, ...found });
      return await this.#codec.readOne(document, ids, options);
    });
  }

  /** How many documents match, counted. */
  async count(filter: MongoFilter<T>, options: CallOptions = {}): Promise<number> {
    return await this.#call('count', options, (collection, call, ids) =>
      collection.countDocuments(encodeFilter(filter, ids), { ...call.abortable }),
    );
  }

  /** The different values of a field among the documents that match. */
  async distinct(
    field: (keyof T & string) | `${string}.${string}`,
    filter: MongoFilter<T>,
    options: CallOptions = {},
  ): Promise<unknown[]> {
    checkFieldPath(field, 'distinct');
    return await this.#call('distinct', options, async (collection, call, ids) => {
      const values = await collection.distinct(field, encodeFilter(filter, ids), { ...call.common });
      return values.map((value) => ownValue(field, decodeDocument(nested(field, value), ids)));
    });
  }

  /** @throws UniqueViolationError ValidationError */
  async insertOne(document: T, options: CallOptions = {}): Promise<MongoInsertResult> {
    const checked = await this.#codec.check(document);
    return await this.#call('insertOne', options, async (collection, call, ids) => {
      const { acknowledged, insertedId } = await collection.insertOne(this.#codec.encode(checked, ids), {
        ...call.common,
      });
      return { acknowledged: acknowledged === true, insertedId: idOf(insertedId, ids) };
    });
  }

  /**
   * Inserts several. All are checked before the first is sent. When the server refuses one, those before it
   * stay (`ordered`), unless it is done in a transaction.
   *
   * @throws UniqueViolationError ValidationError
   */
  async insertMany(documents: readonly T[], options: MongoBulkOptions = {}): Promise<MongoInsertManyResult> {
    const checked = await Promise.all(bulkItems(documents, 'documents').map((document) => this.#codec.check(document)));
    const { ordered = true } = options;
    return await this.#call('insertMany', options, async (collection, call, ids) => {
      const encoded = checked.map((document) => this.#codec.encode(document, ids));
      const { acknowledged, insertedIds } = await collection.insertMany(encoded, { ...call.common, ordered });
      return {
        acknowledged: acknowledged === true,
        insertedIds: Object.values(insertedIds as object).map((id) => idOf(id, ids)),
      };
    });
  }

  /** Changes the first document that matches. */
  updateOne(
    filter: MongoFilter<T>,
    update: MongoUpdate<T>,
    options: MongoUpdateOptions = {},
  ): Promise<MongoUpdateResult> {
    return this.#update('updateOne', filter, update, options);
  }

  /** Changes every document that matches. */
  updateMany(
    filter: MongoFilter<T>,
    update: MongoUpdate<T>,
    options: MongoUpdateOptions = {},
  ): Promise<MongoUpdateResult> {
    return this.#update('updateMany', filter, update, options);
  }

  /** Puts a whole document in the place of the first one that matches. */
  async replaceOne(
    filter: MongoFilter<T>,
    replacement: T,
    options: MongoUpdateOptions = {},
  ): Promise<MongoUpdateResult> {
    const checked = await this.#codec.check(replacement);
    const { upsert = false } = options;
    return await this.#call('replaceOne', options, async (collection, call, ids) => {
      const document = this.#codec.encode(checked, ids);
      return updateResult(
        await collection.replaceOne(encodeFilter(filter, ids), document, { ...call.common, upsert }),
        ids,
      );
    });
  }

  /** Changes the first document that matches and gives it; null when there is none. */
  async findOneAndUpdate(
    filter: MongoFilter<T>,
    update: MongoUpdate<T>,
    options: MongoModifyOptions = {},
  ): Promise<Stored<T> | null> {
    const { upsert = false, give = 'after', sort } = options;
    is.oneOf('before', 'after')(give, 'findOneAndUpdate.give');
    return await this.#call('findOneAndUpdate', options, async (collection, call, ids) => {
      const settings = { ...call.common, upsert, returnDocument: give, ...(sort ? { sort: driverSort(sort) } : {}) };
      const document = await collection.findOneAndUpdate(
        encodeFilter(filter, ids),
        encodeUpdate(update, ids),
        settings,
      );
      return await this.#codec.readOne(document, ids);
    });
  }

  /** Deletes the first document that matches. @throws ValidationError without a filter; `{}` is one */
  deleteOne(filter: MongoFilter<T>, options: CallOptions = {}): Promise<MongoDeleteResult> {
    return this.#delete('deleteOne', filter, options);
  }

  /** Deletes every document that matches. @throws ValidationError without a filter; `{}` is one */
  deleteMany(filter: MongoFilter<T>, options: CallOptions = {}): Promise<MongoDeleteResult> {
    return this.#delete('deleteMany', filter, options);
  }

  /** Runs several writes by as few messages as possible. All are checked before the first is sent. */
  async bulkWrite(operations: readonly BulkOperation<T>[], options: MongoBulkOptions = {}): Promise<MongoBulkResult> {
    const items = bulkItems(operations, 'operations');
    const { ordered = true } = options;
    return await this.#call('bulkWrite', options, async (collection, call, ids) => {
      const encoded = await Promise.all(
        items.map((item, index) =>
          encodeBulk(item, index, ids, async (document) => this.#codec.encode(await this.#codec.check(document), ids)),
        ),
      );
      const result = await collection.bulkWrite(encoded, { ...call.common, ordered });
      const count = (name: string): number => Number(result[name] ?? 0);
      return {
        insertedCount: count('insertedCount'),
        matchedCount: count('matchedCount'),
        modifiedCount: count('modifiedCount'),
        deletedCount: count('deletedCount'),
        upsertedCount: count('upsertedCount'),
      };
    });
  }

  /**
   * Runs a pipeline, written by you in MongoDB's words, and gives its documents while they are read. A `$match`
   * in it is a filter as everywhere here: put values from outside there, and nowhere else.
   *
   * @example for await (const row of orders.aggregate([{ $match: { shop } }, { $group: { _id: '$sku', n: { $sum: 1 } } }])) ...
   */
  aggregate<Row = MongoDocument>(
    pipeline: readonly object[],
    options: CallOptions & { readonly batchSize?: number; readonly allowDiskUse?: boolean } = {},
  ): AsyncIterable<Row> & { toArray(): Promise<Row[]> } {
    const { batchSize = 1_000, allowDiskUse } = options;
    const rows = this.#iterate<Row>('aggregate', options, {
      open: (collection, common, ids) =>
        collection.aggregate(encodePipeline(pipeline, ids), {
          ...common,
          batchSize,
          ...(allowDiskUse === undefined ? {} : { allowDiskUse }),
        }),
      read: (documents, ids) => documents.map((document) => decodeDocument(document, ids)) as Row[],
    });
    return {
      [Symbol.asyncIterator]: () => rows[Symbol.asyncIterator](),
      async toArray() {
        const out: Row[] = [];
        for await (const row of rows) out.push(row);
        return out;
      },
    };
  }

  /**
   * Makes an index where there is none of this kind, and gives its name.
   *
   * @throws UniqueViolationError when documents stand against it
   */
  async createIndex(
    keys: Readonly<Record<string, 1 | -1 | 'text' | 'hashed' | '2dsphere'>>,
    options: MongoIndexOptions = {},
  ): Promise<string> {
    const { signal: _, timeoutMs: __, ...settings } = options;
    for (const name of Object.keys(keys)) checkFieldPath(name, 'index');
    return await this.#call('createIndex', options, (collection, call) =>
      collection.createIndex(keys, { ...call.common, ...settings }),
    );
  }

  /**
   * Tells of changes from now on, in order, or from where `after` says. It goes on over lost connections.
   * Needs a replica set or a sharded cluster.
   *
   * @throws UnsupportedError on a standalone server, at the first read
   */
  watch(options: ChangeStreamOptions = {}): ChangeStream<Stored<T>> {
    if (this.#turn) throw new UnsupportedError('A transaction cannot watch; watch outside of it');
    return openChangeStream<Stored<T>>(this.#connection, this.name, options, (type) => this.#codec.idsOf(type));
  }

  /** Removes the collection with all it holds. */
  async drop(options: CallOptions = {}): Promise<boolean> {
    return await this.#call('drop', options, (collection, call) => collection.drop({ ...call.common }));
  }

  async #update(
    operation: 'updateOne' | 'updateMany',
    filter: MongoFilter<T>,
    update: MongoUpdate<T>,
    options: MongoUpdateOptions,
  ): Promise<MongoUpdateResult> {
    const { upsert = false } = options;
    return await this.#call(operation, options, async (collection, call, ids) => {
      const changes = encodeUpdate(update, ids);
      return updateResult(
        await collection[operation](encodeFilter(filter, ids), changes, { ...call.common, upsert }),
        ids,
      );
    });
  }

  async #delete(
    operation: 'deleteOne' | 'deleteMany',
    filter: MongoFilter<T>,
    options: CallOptions,
  ): Promise<MongoDeleteResult> {
    return await this.#call(operation, options, async (collection, call, ids) => {
      const { acknowledged, deletedCount } = await collection[operation](encodeFilter(filter, ids), { ...call.common });
      return { acknowledged: acknowledged === true, deletedCount: Number(deletedCount) };
    });
  }

  #call<R>(operation: string, options: CallOptions, work: CollectionWork<R>): Promise<R> {
    return this.#connection.call(
      operation,
      this.name,
      options,
      (call) => work(call.database.collection(this.name), call, this.#codec.idsOf(call.ObjectId)),
      this.#turn,
    );
  }

  #iterate<Row>(
    operation: string,
    options: CallOptions,
    { open, read }: Pick<CursorSource<Row>, 'open' | 'read'>,
  ): AsyncGenerator<Row, void, undefined> {
    return cursorRows({ call: (limits, work) => this.#call(operation, limits, work), open, read }, options);
  }
}

function updateResult(result: MongoDocument, ids: ObjectIds): MongoUpdateResult {
  return {
    acknowledged: result.acknowledged === true,
    matchedCount: Number(result.matchedCount),
    modifiedCount: Number(result.modifiedCount),
    upsertedId: idOf(result.upsertedId ?? null, ids),
  };
}

function idOf(id: unknown, ids: ObjectIds): unknown {
  return decodeDocument({ _id: id }, ids)._id;
}

function nested(field: string, value: unknown): Record<string, unknown> {
  return field.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Record<string, unknown>;
}

function ownValue(field: string, document: unknown): unknown {
  return field.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown>)[name], document);
}

function bulkItems(items: unknown, subject: string): readonly unknown[] {
  if (!Array.isArray(items) || items.length === 0) refuse(subject, [], 'must be an array that is not empty');
  return items;
}
