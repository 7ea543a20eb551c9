import type { SearchOptions, StoreItem, StoreManyOptions, StoreOptions } from './local-memory-options.js';
import type { VectorInput } from './vector-input.js';

/** The arguments of `store` as those of `storeMany`: the item, not yet checked, and the settings. */
export function storeArguments(
  id: string,
  vector: VectorInput | string,
  metadata: object | undefined,
  { text, importance, ...settings }: StoreOptions,
): { readonly item: StoreItem; readonly settings: StoreManyOptions } {
  const given = typeof vector === 'string' ? { text: vector } : { vector, text };
  return { item: { id, metadata, importance, ...given } as StoreItem, settings };
}

/** The arguments of `search` behind the query, of either form, as its settings. */
export function searchArguments<Options extends Pick<SearchOptions, 'limit' | 'threshold'>>(
  limitOrOptions: number | Options | undefined,
  threshold: number | undefined,
): Options | Pick<SearchOptions, 'limit' | 'threshold'> {
  if (typeof limitOrOptions === 'object') return limitOrOptions;
  return {
    ...(limitOrOptions === undefined ? {} : { limit: limitOrOptions }),
    ...(threshold === undefined ? {} : { threshold }),
  };
}
