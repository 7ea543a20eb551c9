import { ConfigurationError, type StandardSchemaV1 } from '../../core/index.js';
import { is, isSchema, type OptionCheck, type OptionChecks } from '../../core/internal.js';
import type { APIResponse, RequestOptions } from '../api-call.js';

/** One page: the answer and the items in it. */
export interface Page<T> extends APIResponse {
  readonly items: readonly T[];
  /** From 1. */
  readonly number: number;
  /** What was asked. */
  readonly url: string;
}

/**
 * Where the next page is.
 *
 * - `'link'`: the `Link` field of the answer, `rel="next"` (RFC 8288)
 * - `{ link }`: a URL in the data, at a path such as `links.next`
 * - `{ cursor, param }`: a value in the data, which becomes the parameter of the next request
 * - `{ page, start, size }`: a parameter that counts pages, from `start` (1)
 * - `{ offset, size }`: a parameter that counts items, from 0
 *
 * Counting ends with a page that has no items, with `size` also with one that has fewer. A function gets the page and gives
 * the next endpoint, or nothing.
 */
export type NextPage<T = unknown> =
  | 'link'
  | { readonly link: string }
  | { readonly cursor: string; readonly param: string }
  | { readonly page: string; readonly start?: number; readonly size?: number }
  | { readonly offset: string; readonly size?: number }
  | ((page: Page<T>) => string | URL | null | undefined);

/** Settings of `paginate`. */
export interface APIPaginateOptions<T = unknown>
  extends Pick<RequestOptions, 'query' | 'params' | 'headers' | 'cache' | 'signal' | 'timeoutMs'> {
  /** @default 'link' */
  readonly next?: NextPage<T>;
  /**
   * Where the items are: a path such as `data.orders`, or a function of the data. @default the data when it
   * is a list, else its one member that is a list
   */
  readonly items?: string | ((data: unknown) => Iterable<T>);
  /** Checks each item, any Standard Schema. Its output is what you get. */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /** Ends after so many items. @default all */
  readonly limit?: number;
  /** More pages than this reject with ProtocolError: an end that never comes is not taken for one. @default 1000 */
  readonly maxPages?: number;
}

const counting = { size: is.count };

const name = is.required(is.text);

const objectForms: readonly (readonly [name: string, check: OptionCheck])[] = [
  ['link', is.options({ link: name })],
  ['cursor', is.options({ cursor: name, param: name })],
  ['offset', is.options({ offset: name, ...counting })],
  ['page', is.options({ page: name, start: is.countOrZero, ...counting })],
];

const nextChecks: OptionCheck = (value, field) => {
  if (value === 'link' || typeof value === 'function') return;
  const check = objectForms.find(([name]) => typeof value === 'object' && value !== null && name in value)?.[1];
  if (check) check(value, field);
  else {
    const message = `${field} must be 'link', a function, or an object with link, cursor, page or offset`;
    throw new ConfigurationError(message, { field });
  }
};

export const paginateChecks: OptionChecks<APIPaginateOptions> = {
  query: is.object,
  params: is.object,
  headers: is.object,
  cache: is.flag,
  signal: is.object,
  timeoutMs: is.milliseconds,
  next: nextChecks,
  items: is.either('a path in the data or a function', is.text, is.function),
  schema: (value, field) => {
    if (!isSchema(value)) throw new ConfigurationError(`${field} must be a Standard Schema (version 1)`, { field });
  },
  limit: is.countOrZero,
  maxPages: is.count,
};
