import { type Document, Long } from 'bson';
import { CommandFailure } from './failure.js';
import type { Store } from './store.js';

interface Cursor {
  readonly namespace: string;
  /** The next documents; waits a little for a change stream's. */
  next(
    count: number,
    waitMs: number,
  ): Promise<{ readonly documents: Document[]; readonly done: boolean; readonly token?: Document }>;
}

const noMore = Long.fromNumber(0);

/** Open cursors, by their numbers. */
export class Cursors {
  readonly #open: Map<string, Cursor> = new Map();
  #last = 1_000;

  async list(
    namespace: string,
    documents: Document[],
    batchSize: number | undefined,
    single = false,
  ): Promise<Document> {
    let at = 0;
    const cursor: Cursor = {
      namespace,
      async next(count) {
        const piece = documents.slice(at, at + count);
        at += piece.length;
        return { documents: piece, done: at >= documents.length };
      },
    };
    return await this.#first(cursor, batchSize ?? 101, single);
  }

  /** Changes of a namespace from a position on. */
  async watch(store: Store, namespace: string, stage: Document, batchSize: number | undefined): Promise<Document> {
    const token = (at: number): Document => ({ _data: String(at) });
    let at = stage.resumeAfter ? Number(stage.resumeAfter._data) : store.changes.length;
    const cursor: Cursor = {
      namespace,
      async next(count, waitMs) {
        const ours = (): number =>
          store.changes.findIndex((change, index) => index >= at && change.namespace === namespace);
        if (ours() < 0 && waitMs > 0) await changeWithin(store, waitMs);
        const documents: Document[] = [];
        for (let found = ours(); found >= 0 && documents.length < count; found = ours()) {
          at = found + 1;
          const { event } = store.changes[found] as { readonly event: Document };
          const [db = '', ...coll] = namespace.split('.');
          const full = event.operationType === 'update' && stage.fullDocument === 'updateLookup';
          const now = full
            ? [...store.read(namespace).values()].find(({ _id }) => String(_id) === String(event.documentKey._id))
            : undefined;
          documents.push({
            _id: token(at),
            ...event,
            ns: { db, coll: coll.join('.') },
            ...(full ? { fullDocument: now ?? null } : {}),
          });
        }
        if (documents.length === 0) at = Math.max(at, store.changes.length);
        return { documents, done: false, token: token(at) };
      },
    };
    return await this.#first(cursor, batchSize ?? 101, false);
  }

  async more(id: Long | number, batchSize: number | undefined, waitMs: number): Promise<Document> {
    const name = String(id);
    const cursor = this.#open.get(name);
    if (!cursor) throw new CommandFailure(43, 'CursorNotFound', `cursor id ${name} not found`);
    const { documents, done, token } = await cursor.next(batchSize ?? 10_000, waitMs);
    if (done) this.#open.delete(name);
    const left = done ? noMore : Long.fromString(name);
    const mark = token ? { postBatchResumeToken: token } : {};
    return { cursor: { id: left, ns: cursor.namespace, nextBatch: documents, ...mark }, ok: 1 };
  }

  kill(ids: readonly (Long | number)[]): void {
    for (const id of ids) this.#open.delete(String(id));
  }

  get size(): number {
    return this.#open.size;
  }

  async #first(cursor: Cursor, batchSize: number, single: boolean): Promise<Document> {
    const { documents, done, token } = await cursor.next(batchSize, 0);
    let id = noMore;
    if (!done && !single) {
      this.#last += 1;
      id = Long.fromNumber(this.#last);
      this.#open.set(String(id), cursor);
    }
    const mark = token ? { postBatchResumeToken: token } : {};
    return { cursor: { id, ns: cursor.namespace, firstBatch: documents, ...mark }, ok: 1 };
  }
}

async function changeWithin(store: Store, ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, ms);
    const off = store.onChange(done);
    function done(): void {
      clearTimeout(timer);
      off();
      resolve();
    }
  });
}
