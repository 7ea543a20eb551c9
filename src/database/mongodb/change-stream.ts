import type { CallOptions } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import type { DriverChangeStream, ObjectIdClass } from '../../drivers/mongodb/index.js';
import { decodeDocument } from './decode-document.js';
import type { MongoConnection } from './mongo-connection.js';
import type { ObjectIds } from './object-ids.js';

/** One change of a collection. */
export interface ChangeEvent<T = Record<string, unknown>> {
  /** Where the stream is after this change: give it as `after` to go on from here. */
  readonly position: ChangePosition;
  readonly operation: 'insert' | 'update' | 'replace' | 'delete' | 'drop' | 'rename' | 'invalidate';
  /** The changed document's `_id`; undefined for changes of the collection itself. */
  readonly id: unknown;
  /** The document after an insert or replace, and after an update with `fullDocument`; else undefined. */
  readonly document: T | undefined;
  /** What an update changed: the fields set, and the names of those removed. */
  readonly changes:
    | { readonly set: Readonly<Record<string, unknown>>; readonly removed: readonly string[] }
    | undefined;
}

/** A place in the log of changes, kept by the server for as long as its oplog reaches back. */
export type ChangePosition = Readonly<Record<string, unknown>>;

/** Settings of `watch`. */
export interface ChangeStreamOptions extends CallOptions {
  /** Begins after this change. @default now */
  readonly after?: ChangePosition;
  /** Gives the whole document with updates too, as it is when the change is read. @default false */
  readonly fullDocument?: boolean;
}

/** Changes, as they come. Leaving the loop, `close`, the signal or closing the database ends it. */
export interface ChangeStream<T = Record<string, unknown>> extends AsyncIterable<ChangeEvent<T>>, AsyncDisposable {
  /** Settles once the server watches: changes from then on are told. @throws UnsupportedError on a standalone server */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** A stream that opens at the first `ready` or read. */
export function openChangeStream<T>(
  connection: MongoConnection,
  collection: string,
  options: ChangeStreamOptions,
  idsOf: (type: ObjectIdClass) => ObjectIds,
): ChangeStream<T> {
  checkOptions<ChangeStreamOptions>('watch', options, {
    after: is.object,
    fullDocument: is.flag,
    signal: is.anything,
    timeoutMs: is.anything,
  });
  let stream: DriverChangeStream | undefined;
  let first: Record<string, unknown> | null | undefined;
  let closed = false;
  const close = async (): Promise<void> => {
    closed = true;
    await stream?.close().catch(() => undefined);
  };
  const { after, fullDocument = false, signal, timeoutMs = Number.POSITIVE_INFINITY } = options;
  const limits = signal ? { signal, timeoutMs } : { timeoutMs };
  const step = async (method: 'next' | 'tryNext'): Promise<Record<string, unknown> | null> =>
    await connection.call('watch', collection, limits, async ({ database, scope, common, ObjectId }) => {
      // What it waits for may come at any time, so the server gets no limit of it.
      const { maxTimeMS: _, ...settings } = common;
      stream ??= database.collection(collection).watch([], {
        ...settings,
        ...(after ? { resumeAfter: after } : {}),
        ...(fullDocument ? { fullDocument: 'updateLookup' } : {}),
      });
      const opened = stream;
      const off = scope.onCancel(() => {
        close().catch(() => undefined);
      });
      try {
        const event = await opened[method]();
        return event && decodeEvent(event, idsOf(ObjectId));
      } finally {
        off();
      }
    });
  async function* read(): AsyncGenerator<ChangeEvent<T>, void, undefined> {
    try {
      while (!closed) {
        const event = first ?? (await step('next'));
        first = undefined;
        if (event) yield toEvent<T>(event);
      }
    } catch (error) {
      if (!closed || signal?.aborted) throw error;
    } finally {
      await close();
    }
  }
  return {
    async ready() {
      if (!stream) first = await step('tryNext');
    },
    close,
    [Symbol.asyncIterator]: read,
    [Symbol.asyncDispose]: close,
  };
}

function decodeEvent(event: Record<string, unknown>, ids: ObjectIds): Record<string, unknown> {
  for (const part of ['documentKey', 'fullDocument'] as const) {
    const document = event[part];
    if (typeof document === 'object' && document !== null) decodeDocument(document, ids);
  }
  return event;
}

function toEvent<T>(event: Record<string, unknown>): ChangeEvent<T> {
  const { updatedFields, removedFields } = (event.updateDescription ?? {}) as {
    readonly updatedFields?: Record<string, unknown>;
    readonly removedFields?: readonly string[];
  };
  return {
    position: event._id as ChangePosition,
    operation: event.operationType as ChangeEvent['operation'],
    id: (event.documentKey as { readonly _id?: unknown } | undefined)?._id,
    document: (event.fullDocument ?? undefined) as T | undefined,
    changes:
      event.updateDescription === undefined ? undefined : { set: updatedFields ?? {}, removed: removedFields ?? [] },
  };
}
