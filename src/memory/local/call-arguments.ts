import { assertItems } from './checks.js';
import {
  checkCall,
  type SearchOptions,
  type StoreItem,
  type StoreManyOptions,
  type StoreOptions,
} from './local-memory-options.js';
import type { VectorInput } from './vector-input.js';

/**
 * Reads the arguments of `store` as those of `storeMany`: the item, not yet checked, and the settings.
 *
 * @throws ConfigurationError
 */
export function readStore(
  id: string,
  vector: VectorInput | string,
  metadata: object | undefined,
  options: StoreOptions,
): { readonly item: StoreItem; readonly settings: StoreManyOptions } {
  checkCall.store('store', options);
  const { text, importance, ...settings } = options;
  const given = typeof vector === 'string' ? { text: vector } : { vector, text };
  return { item: { id, metadata, importance, ...given } as StoreItem, settings };
}

/** Checks the settings of `storeMany` and that it was given items; not yet each. @throws ConfigurationError ValidationError */
export function checkStoreMany(items: readonly StoreItem[], options: StoreManyOptions): void {
  checkCall.storeMany('storeMany', options);
  assertItems(items, 'storeMany');
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
