import type { Document, Long } from 'bson';
import { Aggregator, Query } from 'mingo';
import type { Cursors } from './cursors.js';
import { badValue, CommandFailure } from './failure.js';
import { keyOf, type Store, type Workspace } from './store.js';
import { insert, matching, remove, update, type WriteTarget } from './writes.js';

/** What a command works on. */
export interface CommandContext {
  readonly store: Store;
  readonly cursors: Cursors;
  readonly database: string;
  readonly replicaSet: boolean;
  readonly workspace: Workspace | undefined;
}

type Command = (context: CommandContext, body: Document) => Promise<Document> | Document;

const ok = { ok: 1 };

/** The commands that read and write; those of connections and sessions are the server's. */
export const commands: Readonly<Record<string, Command>> = {
  ping: () => ok,
  collMod: () => ok,
  buildInfo: () => ({ version: '8.0.0-emulator', versionArray: [8, 0, 0, 0], ok: 1 }),

  async find(context, body) {
    const target = targetOf(context, body.find);
    const found = project(matching(target, body.filter ?? {}, body.sort), body.projection);
    const skipped = found.slice(body.skip ?? 0);
    const limited = body.limit ? skipped.slice(0, Math.abs(body.limit)) : skipped;
    return await context.cursors.list(target.namespace, limited, body.batchSize, body.singleBatch === true);
  },

  async getMore({ cursors }, body) {
    return await cursors.more(body.getMore as Long, body.batchSize, body.maxTimeMS ?? 1_000);
  },

  killCursors({ cursors }, body) {
    cursors.kill(body.cursors);
    return { cursorsKilled: body.cursors, cursorsNotFound: [], cursorsAlive: [], cursorsUnknown: [], ok: 1 };
  },

  async aggregate(context, body) {
    const target = targetOf(context, body.aggregate);
    const { batchSize } = body.cursor ?? {};
    const [first, ...rest] = body.pipeline as Document[];
    if (first?.$changeStream) {
      if (!context.replicaSet) {
        throw new CommandFailure(40573, 'Location40573', 'The $changeStream stage is only supported on replica sets');
      }
      if (rest.length > 0) throw new CommandFailure(2, 'BadValue', 'The emulator filters no changes');
      return await context.cursors.watch(context.store, target.namespace, first.$changeStream, batchSize);
    }
    if (body.pipeline.some((stage: Document) => '$out' in stage || '$merge' in stage)) {
      throw new CommandFailure(59, 'CommandNotFound', 'The emulator writes no results of pipelines');
    }
    try {
      const collectionResolver = (name: string): Document[] => [
        ...context.store.read(`${context.database}.${name}`, context.workspace).values(),
      ];
      const documents = collectionResolver(String(body.aggregate));
      const rows = new Aggregator(body.pipeline, { collectionResolver }).run<Document>(documents);
      return await context.cursors.list(target.namespace, rows, batchSize);
    } catch (error) {
      throw badValue(error);
    }
  },

  count: (context, body) => ({ n: matching(targetOf(context, body.count), body.query ?? {}).length, ok: 1 }),

  distinct(context, body) {
    const path = String(body.key).split('.');
    const values = matching(targetOf(context, body.distinct), body.query ?? {}).flatMap((document) =>
      path.reduce<unknown[]>(
        (items, name) => items.flatMap((item) => (item as Document | null)?.[name] ?? []) as unknown[],
        [document],
      ),
    );
    return { values: [...new Map(values.map((value) => [keyOf(value), value])).values()], ok: 1 };
  },

  async insert(context, body) {
    const target = targetOf(context, body.insert);
    return await eachStatement(context, body, body.documents, async (document) => {
      await insert(target, document);
      return { n: 1 };
    });
  },

  async update(context, body) {
    const target = targetOf(context, body.update);
    let nModified = 0;
    const answer = await eachStatement(context, body, body.updates, async (statement) => {
      const { matched, modified, upsertedId } = await update(target, statement);
      nModified += modified;
      return {
        n: upsertedId === undefined ? matched : 1,
        ...(upsertedId === undefined ? {} : { upserted: upsertedId }),
      };
    });
    return { ...answer, nModified };
  },

  async delete(context, body) {
    const target = targetOf(context, body.delete);
    return await eachStatement(context, body, body.deletes, async ({ q, limit }) => {
      const found = matching(target, q ?? {});
      const chosen = limit === 1 ? found.slice(0, 1) : found;
      for (const document of chosen) await remove(target, document);
      return { n: chosen.length };
    });
  },

  async findAndModify(context, body) {
    const target = targetOf(context, body.findAndModify);
    if (body.remove) {
      const [found] = matching(target, body.query ?? {}, body.sort);
      if (found) await remove(target, found);
      return { value: found ?? null, lastErrorObject: { n: found ? 1 : 0 }, ok: 1 };
    }
    const { query: q = {}, update: u, upsert, sort, arrayFilters } = body;
    const { before, after, matched, upsertedId } = await update(target, { q, u, upsert, sort, arrayFilters });
    const [value = null] = project([(body.new ? after : before) ?? {}], body.fields).filter((found) => '_id' in found);
    const lastErrorObject = {
      n: 1,
      updatedExisting: matched > 0,
      ...(upsertedId === undefined ? {} : { upserted: upsertedId }),
    };
    return { value, lastErrorObject, ok: 1 };
  },

  create(context, body) {
    context.store.collection(`${context.database}.${body.create}`);
    return ok;
  },

  drop(context, body) {
    const existed = context.store.collections.delete(`${context.database}.${body.drop}`);
    if (!existed) throw new CommandFailure(26, 'NamespaceNotFound', 'ns not found');
    return ok;
  },

  dropDatabase(context) {
    for (const name of namesIn(context)) context.store.collections.delete(`${context.database}.${name}`);
    return { dropped: context.database, ok: 1 };
  },

  async listCollections(context, body) {
    const all = namesIn(context).map((name) => ({ name, type: 'collection', options: {}, info: {} }));
    const query = new Query(body.filter ?? {}, {});
    return await context.cursors.list(
      `${context.database}.$cmd.listCollections`,
      all.filter((found) => query.test(found)),
      undefined,
    );
  },

  createIndexes(context, body) {
    const namespace = `${context.database}.${body.createIndexes}`;
    const before = context.store.collection(namespace).indexes.length;
    for (const index of body.indexes) context.store.addIndex(namespace, index);
    return { numIndexesBefore: before, numIndexesAfter: context.store.collection(namespace).indexes.length, ok: 1 };
  },

  async listIndexes(context, body) {
    const namespace = `${context.database}.${body.listIndexes}`;
    const found = context.store.collections.get(namespace);
    if (!found) throw new CommandFailure(26, 'NamespaceNotFound', `ns does not exist: ${namespace}`);
    return await context.cursors.list(
      namespace,
      found.indexes.map((index) => ({ v: 2, ...index })),
      undefined,
    );
  },
};

function targetOf({ store, database, workspace }: CommandContext, collection: unknown): WriteTarget {
  return { store, namespace: `${database}.${String(collection)}`, workspace };
}

function namesIn({ store, database }: CommandContext): string[] {
  const prefix = `${database}.`;
  return [...store.collections.keys()]
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

function project(documents: Document[], projection: Document | undefined): Document[] {
  if (!projection || Object.keys(projection).length === 0) return documents;
  return new Query({}, {}).find<Document>(documents, projection).all();
}

/** Runs the statements of one write command; in a transaction the first failure is the command's. */
async function eachStatement(
  { workspace }: CommandContext,
  { ordered = true }: Document,
  statements: readonly Document[],
  run: (statement: Document) => Promise<{ readonly n: number; readonly upserted?: unknown }>,
): Promise<Document> {
  let n = 0;
  const upserted: Document[] = [];
  const writeErrors: Document[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      const done = await run(statement);
      n += done.n;
      if (done.upserted !== undefined) upserted.push({ index, _id: done.upserted });
    } catch (error) {
      const failure = badValue(error);
      if (failure.answer.errorLabels) throw failure;
      const { ok: _, ...answer } = failure.answer;
      writeErrors.push({ index, ...answer });
      if (ordered || workspace) break;
    }
  }
  return { n, ...(upserted.length > 0 ? { upserted } : {}), ...(writeErrors.length > 0 ? { writeErrors } : {}), ok: 1 };
}
