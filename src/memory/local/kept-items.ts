import type { Logger } from '../../core/index.js';
import type { Entry, PutEntry } from './journal/entry.js';
import { Journal } from './journal/journal.js';
import type { LocalVectorMemoryOptions } from './local-memory-options.js';
import type { Metric } from './metric.js';
import { Namespaces, type NewItem } from './namespaces.js';
import type { ItemRecord, VectorCollection } from './vector-collection.js';

/** An item that was checked, as it goes into the files. */
export interface StoredItem extends NewItem {
  /** The metadata in V8's serialization format. */
  readonly serialized: Buffer;
}

/** A change of one namespace: removals first. */
export interface Change {
  readonly remove?: readonly string[];
  readonly put?: readonly StoredItem[];
}

/** What a {@link LocalVectorMemory} holds. */
export interface VectorMemoryStats {
  readonly items: number;
  readonly namespaces: number;
  /** Undefined until the first vector is stored, unless it was given. */
  readonly dimension: number | undefined;
  readonly metric: Metric;
  readonly model: string | undefined;
  /**
   * What `maxBytes` bounds: for each item 200 bytes, its vector as float32, its id, its text, and its
   * metadata as V8 serializes it. An estimate: metadata of many small parts takes more on the heap, and
   * room for vectors grows by doubling (`vectorBytes`).
   */
  readonly bytes: number;
  /** Bytes allocated for vectors, those kept for further ones included. */
  readonly vectorBytes: number;
}

const defaultMaxItems = 1_000_000;
const defaultMaxBytes = 2 ** 30;
/** What an item takes on the heap besides its vector, texts and metadata, as measured. */
const itemBytes = 200;

/** What a memory holds: in this process, and in files where there is a path. */
export class KeptItems {
  readonly #metric: Metric;
  readonly #options: LocalVectorMemoryOptions;
  readonly #logger: Logger;
  readonly #namespaces: Namespaces;
  #opening: Promise<Journal> | undefined;
  #journal: Journal | undefined;
  #dimension: number | undefined;

  constructor(metric: Metric, options: LocalVectorMemoryOptions, logger: Logger) {
    this.#metric = metric;
    this.#options = options;
    this.#logger = logger;
    this.#dimension = options.dimension;
    const { maxItems = defaultMaxItems, maxBytes = defaultMaxBytes } = options;
    this.#namespaces = new Namespaces(metric, { maxItems, maxBytes });
  }

  /** Undefined until the first vector is stored, unless it was given. */
  get dimension(): number | undefined {
    return this.#dimension;
  }

  /** The embedding model: the option, or what the files name. */
  get model(): string | undefined {
    return this.#options.model ?? this.#journal?.model;
  }

  stats(): VectorMemoryStats {
    return { ...this.#namespaces.use(), dimension: this.dimension, metric: this.#metric, model: this.model };
  }

  /** Reads the files, once. A failure is tried again with the next call. */
  async ready(): Promise<void> {
    const { path } = this.#options;
    if (path === undefined || this.#journal) return;
    this.#opening ??= this.#open(path).catch((error: unknown) => {
      this.#opening = undefined;
      this.#namespaces.clear();
      throw error;
    });
    this.#journal = await this.#opening;
  }

  /** The namespace, undefined where nothing is stored in it. */
  collection(namespace: string): VectorCollection | undefined {
    return this.#namespaces.get(namespace);
  }

  /** What is held now, in one namespace or all. What changes meanwhile may or may not be among it. Vectors are views. */
  *entries(namespace?: string): Generator<PutEntry> {
    for (const { namespace: within, record, vector } of this.#namespaces.items(namespace)) {
      yield toEntry(within, record, vector);
    }
  }

  /**
   * Makes a change, all of it or nothing; once it is in the files where there are any. Gives how many of
   * the removals there was something to remove for.
   *
   * @throws QueueFullError MemoryStorageError
   */
  async change(namespace: string, { remove = [], put = [] }: Change): Promise<number> {
    const dimension = this.#dimension ?? put[0]?.vector.length;
    if (dimension === undefined) return 0;
    const room = this.#namespaces.reserve(namespace, put);
    this.#dimension = dimension;
    let removed = 0;
    const apply = (): void => {
      for (const id of remove) if (this.#namespaces.delete(namespace, id)) removed += 1;
      if (put.length > 0) this.#namespaces.put(namespace, dimension, put);
    };
    try {
      if (this.#journal) await this.#journal.commit(changes(namespace, remove, put), dimension, apply);
      else apply();
      return removed;
    } finally {
      room.release();
    }
  }

  /** Writes a snapshot in place of the log. Does nothing without a path. @throws MemoryStorageError */
  async compact(): Promise<void> {
    await this.#journal?.compact();
  }

  /** Puts everything on the disk and forgets it. */
  async close(): Promise<void> {
    const journal = await this.#opening?.catch(() => undefined);
    await journal?.close();
    this.#namespaces.clear();
  }

  async #open(folder: string): Promise<Journal> {
    const { fsync = 'always', encryption, model } = this.#options;
    const journal = await Journal.open(
      {
        folder,
        fsync,
        encryption,
        metric: this.#metric,
        dimension: this.#dimension,
        model,
        items: () => this.entries(),
        onFailure: (error) => this.#logger.warn({ folder, error }, 'memory snapshot failed'),
      },
      (entry) => this.#apply(entry),
    );
    this.#dimension ??= journal.dimension;
    return journal;
  }

  #apply(entry: Entry): void {
    const { namespace, id } = entry;
    // What has expired meanwhile also ends what it replaced.
    if (entry.type === 'delete' || entry.expiresAt <= Date.now()) {
      this.#namespaces.delete(namespace, id);
      return;
    }
    const { vector, serialized } = entry;
    const record = recordOf(entry, vector.length, serialized?.length ?? 0);
    this.#namespaces.put(namespace, vector.length, [{ record, vector }]);
  }
}

/** What is kept of an item besides its vector. */
export function recordOf(item: Omit<ItemRecord, 'bytes'>, dimension: number, metadataBytes: number): ItemRecord {
  const { id, metadata, timestamp, expiresAt, text, importance } = item;
  const words = Buffer.byteLength(id) + (text === undefined ? 0 : Buffer.byteLength(text));
  const bytes = itemBytes + dimension * Float32Array.BYTES_PER_ELEMENT + words + metadataBytes;
  return { id, metadata, timestamp, expiresAt, text, importance, bytes };
}

function changes(namespace: string, remove: readonly string[], put: readonly StoredItem[]): Entry[] {
  const removals = remove.map((id): Entry => ({ type: 'delete', namespace, id }));
  return [...removals, ...put.map(({ record, vector, serialized }) => toEntry(namespace, record, vector, serialized))];
}

function toEntry(
  namespace: string,
  { id, timestamp, expiresAt, text, importance, metadata }: ItemRecord,
  vector: Float32Array | Float64Array,
  serialized?: Buffer,
): PutEntry {
  return { type: 'put', namespace, id, timestamp, expiresAt, text, importance, metadata, serialized, vector };
}
