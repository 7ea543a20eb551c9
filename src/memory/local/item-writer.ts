import type { CallScope } from '../../core/index.js';
import { setDuplicatesApart } from './dedupe.js';
import { checkFilter } from './filter/checked-filter.js';
import type { MetadataFilter } from './filter/metadata-filter.js';
import { draftOfTransfer, type ItemDraft, toStored } from './item-draft.js';
import type { KeptItems, StoredItem } from './kept-items.js';
import { defaultNamespace, type StoreManyOptions, type StoreManyResult } from './local-memory-options.js';
import type { Metric } from './metric.js';
import { byNamespace, decodeTransfer, type ImportSource } from './transfer/transfer.js';
import { assertFits } from './transfer/transfer-header.js';
import type { VectorSource } from './vector-source.js';

/** Stores drafts and exports in what a memory holds: makes their vectors and leaves duplicates out. */
export class ItemWriter {
  readonly #metric: Metric;
  readonly #source: VectorSource;
  readonly #items: KeptItems;

  constructor(metric: Metric, source: VectorSource, items: KeptItems) {
    this.#metric = metric;
    this.#source = source;
    this.#items = items;
  }

  /** Stores all or none. @param replaced what else goes with the same change */
  async store(
    drafts: readonly ItemDraft[],
    { namespace = defaultNamespace, ttlMs = Number.POSITIVE_INFINITY, dedupe }: StoreManyOptions,
    scope: CallScope,
    replaced?: MetadataFilter,
  ): Promise<StoreManyResult> {
    await this.#items.ready();
    const items = await this.#complete(drafts, ttlMs, scope);
    const collection = this.#items.collection(namespace);
    const { kept: put, duplicates } =
      dedupe === undefined
        ? { kept: items, duplicates: [] }
        : setDuplicatesApart(items, collection, this.#metric, dedupe);
    const remove = (replaced && collection?.ids(checkFilter(replaced))) ?? [];
    if (put.length > 0 || remove.length > 0) await this.#items.change(namespace, { remove, put });
    return { stored: put.length, duplicates };
  }

  /** Stores what an export holds, where it was or `into` one namespace, and says how many. @throws MemoryStorageError */
  async import(source: ImportSource, into: string | undefined, scope: CallScope): Promise<number> {
    await this.#items.ready();
    let count = 0;
    for await (const part of decodeTransfer(source)) {
      scope.throwIfCancelled();
      if (part.type === 'header') assertFits(part.header, this.#items);
      else {
        for (const [namespace, items] of byNamespace(part.items)) {
          const drafts = items.map((item) => draftOfTransfer(item, this.#source));
          const put = await this.#complete(drafts, Number.POSITIVE_INFINITY, scope);
          await this.#items.change(into ?? namespace, { put });
        }
        count += part.items.length;
      }
    }
    return count;
  }

  /** Puts vectors to drafts. */
  async #complete(drafts: readonly ItemDraft[], ttlMs: number, scope: CallScope): Promise<StoredItem[]> {
    const reads = drafts.map(({ read }) => read);
    const vectors = await this.#source.vectors(reads, scope);
    return toStored(drafts, vectors, this.#items.dimension, ttlMs);
  }
}
