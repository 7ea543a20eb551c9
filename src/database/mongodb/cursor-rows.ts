import type { CallOptions } from '../../core/index.js';
import type { DriverCollection, DriverCursor, MongoDocument } from '../../drivers/mongodb/index.js';
import type { MongoCall } from './mongo-connection.js';
import type { ObjectIds } from './object-ids.js';

/** What is done with a collection in one call. */
export type CollectionWork<R> = (collection: DriverCollection, call: MongoCall, ids: ObjectIds) => Promise<R>;

/** Where rows come from. */
export interface CursorSource<Row> {
  call<R>(limits: CallOptions, work: CollectionWork<R>): Promise<R>;
  open(collection: DriverCollection, common: MongoCall['common'], ids: ObjectIds): DriverCursor;
  read(documents: readonly MongoDocument[], ids: ObjectIds): Promise<Row[]> | Row[];
}

/** Rows, fetched in batches while they are read. The cursor lives longer than the call that opened it, so each batch is a call of its own. */
export async function* cursorRows<Row>(
  source: CursorSource<Row>,
  { signal, timeoutMs = Number.POSITIVE_INFINITY }: CallOptions,
): AsyncGenerator<Row, void, undefined> {
  const until = performance.now() + timeoutMs;
  let cursor: DriverCursor | undefined;
  const batch = (): Promise<Row[]> => {
    const left = Math.max(until - performance.now(), 1);
    return source.call(signal ? { signal, timeoutMs: left } : { timeoutMs: left }, async (collection, call, ids) => {
      cursor ??= source.open(collection, call.common, ids);
      const opened = cursor;
      const off = call.scope.onCancel(() => opened.close().catch(() => undefined));
      try {
        const first = await opened.next();
        if (first === null) return [];
        return await source.read([first, ...opened.readBufferedDocuments()], ids);
      } finally {
        off();
      }
    });
  };
  try {
    for (let rows = await batch(); rows.length > 0; rows = await batch()) yield* rows;
  } finally {
    await cursor?.close().catch(() => undefined);
  }
}
