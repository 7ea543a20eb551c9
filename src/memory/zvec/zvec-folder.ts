import type { ZVecCollection, ZVecDoc, ZVecStatus } from '@zvec/zvec';
import { assertFacts } from '../indexed/stored-facts.js';
import type { Metric } from '../local/metric.js';
import type { FilterColumns } from './pushed-filter.js';
import {
  createCollection,
  type FolderFacts,
  guarded,
  openCollection,
  readFacts,
  zvecFailure,
} from './zvec-collection.js';
import type { ZvecVectorMemoryOptions } from './zvec-memory-options.js';

/** What a folder is opened or made for. */
type FolderOptions = Pick<
  ZvecVectorMemoryOptions,
  'path' | 'dimension' | 'model' | 'fields' | 'm' | 'efConstruction'
> & {
  readonly metric: Metric;
};

/** The folder of a memory: opened with the first call, made with the first vector. All calls of zvec go through it. */
export class ZvecFolder {
  readonly #options: FolderOptions;
  #opening: Promise<void> | undefined;
  #collection: ZVecCollection | undefined;
  #facts: FolderFacts | undefined;
  #columns: FilterColumns = new Map();

  constructor(options: FolderOptions) {
    this.#options = options;
  }

  /** Undefined until the first vector is stored, unless it was given. */
  get dimension(): number | undefined {
    return this.#facts?.dimension ?? this.#options.dimension;
  }

  get columns(): FilterColumns {
    return this.#columns;
  }

  /** Opens the folder, if there is one. @throws MemoryStorageError */
  async open(): Promise<void> {
    if (!this.#collection) await this.#once(() => this.#open());
  }

  /** Makes the folder where there is none. @throws MemoryStorageError */
  async make(dimension: number): Promise<void> {
    if (!this.#collection) await this.#once(() => this.#make(dimension));
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined);
    this.use((collection) => collection.closeSync());
    this.#collection = undefined;
  }

  /** Calls zvec; undefined while there is no collection. @throws MemoryStorageError */
  use<T>(call: (collection: ZVecCollection) => T): T | undefined {
    const collection = this.#collection;
    return collection && guarded(this.#options.path, () => call(collection));
  }

  /** As {@link ZvecFolder.use}, for a call that takes its time. */
  async wait<T>(call: (collection: ZVecCollection) => Promise<T>): Promise<T | undefined> {
    return await this.use(call)?.catch((error: unknown) => {
      throw zvecFailure(this.#options.path, error);
    });
  }

  /** As {@link ZvecFolder.use}, for a call that says of each document how it went. */
  change(call: (collection: ZVecCollection) => readonly ZVecStatus[]): void {
    const failed = this.use(call)?.find(({ ok }) => !ok);
    if (failed) throw zvecFailure(this.#options.path, failed);
  }

  /** The document of a key, unless it has expired. */
  fetch(key: string): ZVecDoc | undefined {
    const document = this.use((collection) => collection.fetchSync(key)[key]);
    return document && document.fields.expires > Date.now() ? document : undefined;
  }

  /** Calls that come while the folder is opened or made wait for that. */
  async #once(work: () => Promise<void>): Promise<void> {
    this.#opening ??= work().finally(() => {
      this.#opening = undefined;
    });
    await this.#opening;
  }

  async #open(): Promise<void> {
    const { path, metric, dimension, model } = this.#options;
    const facts = await readFacts(path);
    if (!facts) return;
    assertFacts(facts, { metric, dimension, model }, path, 'path');
    this.#accept(await openCollection(path), facts);
  }

  async #make(dimension: number): Promise<void> {
    const { path, metric, model = null, m = 16, efConstruction = 200, fields = {} } = this.#options;
    const facts: FolderFacts = {
      format: 1,
      holds: 'vector-memory-zvec',
      metric,
      dimension,
      model,
      fields: Object.entries(fields),
    };
    this.#accept(await createCollection(path, facts, { m, efConstruction }), facts);
  }

  #accept(collection: ZVecCollection, facts: FolderFacts): void {
    this.#collection = collection;
    this.#facts = facts;
    this.#columns = new Map(facts.fields.map(([name, type], place) => [name, { column: `field${place}`, type }]));
  }
}
