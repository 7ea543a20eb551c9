import type { ZVecDoc } from '@zvec/zvec';
import type { CallScope } from '../../core/index.js';
import { spareNeighbours } from '../indexed/rank-hits.js';
import type { SearchRequest } from '../indexed/search-request.js';
import { pushedFilter } from './pushed-filter.js';
import { loadZvec } from './zvec-collection.js';
import { factsOf, scopeOf } from './zvec-document.js';
import type { ZvecFolder } from './zvec-folder.js';
import type { ZvecVectorMemoryOptions } from './zvec-memory-options.js';

/** How hard a search looks. */
export type SearchEffort = Required<Pick<ZvecVectorMemoryOptions, 'exactBelow' | 'efSearch'>>;

/**
 * The nearest that the request's filter accepts, some more than its limit: of ever more neighbours, until
 * there are enough or no more.
 *
 * @throws MemoryStorageError
 */
export async function nearestDocuments(
  folder: ZvecFolder,
  vector: Float64Array,
  { namespace, limit, filter }: SearchRequest,
  { exactBelow, efSearch }: SearchEffort,
  scope: CallScope,
): Promise<ZVecDoc[]> {
  const docCount = folder.use(({ stats }) => stats.docCount) ?? 0;
  if (docCount === 0) return [];
  const { ZVecIndexType } = await loadZvec();
  const indexType = ZVecIndexType.HNSW;
  const pushed = filter && pushedFilter(filter.filter, folder.columns);
  const query = {
    fieldName: 'vector',
    vector: Float32Array.from(vector),
    filter: `scope = '${scopeOf(namespace)}' and expires > ${Date.now()}${pushed ? ` and ${pushed}` : ''}`,
    includeVector: true,
  };
  for (let topk = Math.min(docCount, limit + spareNeighbours); ; topk = Math.min(docCount, topk * 8)) {
    const isLinear = docCount <= exactBelow || topk > docCount / 4;
    const params = isLinear ? { indexType, isLinear } : { indexType, ef: Math.max(efSearch, topk) };
    const found = (await folder.wait((collection) => collection.query({ ...query, topk, params }))) ?? [];
    scope.throwIfCancelled();
    const wanted = filter ? found.filter(({ fields }) => filter.accepts(factsOf(fields).metadata)) : found;
    if (wanted.length >= limit || found.length < topk || topk >= docCount) return wanted;
  }
}
