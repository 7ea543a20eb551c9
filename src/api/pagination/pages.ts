import { ProtocolError, ValidationError, validate } from '../../core/index.js';
import type { APIResponse, RequestOptions } from '../api-call.js';
import { firstURL, nextURL, valueAt } from './next-url.js';
import type { APIPaginateOptions, Page } from './paginate-options.js';

/** What pages are asked with. */
export interface APIPageSource {
  /** The first URL, checked. */
  resolve(): URL;
  request(url: string, options: RequestOptions): Promise<APIResponse>;
}

/**
 * The items of all pages of a list, one page asked for when the one before is used up. Each loop begins
 * with the first page again.
 *
 * @example for await (const order of api.paginate('/orders', { schema: Order, limit: 500 })) await ship(order);
 */
export class Pages<T> implements AsyncIterable<T> {
  readonly #source: APIPageSource;
  readonly #options: APIPaginateOptions<T>;

  constructor(source: APIPageSource, options: APIPaginateOptions<T>) {
    this.#source = source;
    this.#options = options;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const { limit = Number.POSITIVE_INFINITY, signal } = this.#options;
    let count = 0;
    if (limit === 0) return;
    for await (const { items } of this.pages()) {
      for (const item of items) {
        signal?.throwIfAborted();
        yield item;
        count += 1;
        if (count >= limit) return;
      }
    }
  }

  /** Page by page, with status and headers. `limit` has no effect here. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    const { next = 'link', maxPages = 1_000 } = this.#options;
    const seen = new Set<string>();
    let url: URL | undefined = firstURL(this.#source.resolve(), next as 'link');
    const { origin } = url;
    while (url) {
      const subject: string = `page ${seen.size + 1} of GET ${url.origin}${url.pathname}`;
      url.hash = '';
      if (url.origin !== origin) throw new ValidationError(subject, [{ path: [], message: 'is at another origin' }]);
      if (seen.has(url.href)) throw new ProtocolError(`${subject}: the server gave a page again that was read before`);
      if (seen.size >= maxPages)
        throw new ProtocolError(`${subject}: there are more than ${maxPages} pages (maxPages)`);
      seen.add(url.href);
      const page = await this.#page(url, seen.size, subject);
      yield page;
      this.#options.signal?.throwIfAborted();
      url = nextURL(page, next, subject);
    }
  }

  /** All items at once. */
  async toArray(): Promise<T[]> {
    const items: T[] = [];
    for await (const item of this) items.push(item);
    return items;
  }

  async #page({ href }: URL, number: number, subject: string): Promise<Page<T>> {
    const { headers, cache, signal, timeoutMs, schema } = this.#options;
    const response = await this.#source.request(href, {
      ...(headers && { headers }),
      ...(cache !== undefined && { cache }),
      ...(signal && { signal }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    const found = this.#itemsOf(response.data, subject);
    const items = schema
      ? await Promise.all(found.map((item, index) => validate(schema, item, `item ${index + 1} on ${subject}`)))
      : (found as T[]);
    return { ...response, items, number, url: href };
  }

  #itemsOf(data: unknown, subject: string): readonly unknown[] {
    const { items } = this.#options;
    if (typeof items === 'function') return [...items(data)];
    const found = items === undefined ? onlyList(data) : valueAt(data, items);
    if (Array.isArray(found)) return found;
    // No content is an empty page.
    if (data === undefined) return [];
    const where =
      items === undefined ? 'has no list, or more than one; say where it is by `items`' : `has no list at '${items}'`;
    throw new ProtocolError(`${subject}: the answer ${where}`);
  }
}

function onlyList(data: unknown): unknown {
  if (Array.isArray(data) || typeof data !== 'object' || data === null) return data;
  const lists = Object.values(data).filter(Array.isArray);
  return lists.length === 1 ? lists[0] : undefined;
}
