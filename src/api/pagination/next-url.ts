import { ProtocolError } from '../../core/index.js';
import { parseLinks } from './link-header.js';
import type { NextPage, Page } from './paginate-options.js';

/** A member deep in data, by names and indexes with dots between; undefined when it is not there. */
export function valueAt(data: unknown, path: string): unknown {
  let value = data;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** The first URL, with what counting begins with. */
export function firstURL(url: URL, next: NextPage<never>): URL {
  const first = new URL(url);
  const put = (name: string, value: number): void => {
    if (!first.searchParams.has(name)) first.searchParams.set(name, String(value));
  };
  if (typeof next === 'object' && 'page' in next) put(next.page, next.start ?? 1);
  if (typeof next === 'object' && 'offset' in next) put(next.offset, 0);
  return first;
}

/** What to ask after a page; undefined after the last one. Links are relative to the URL of the page. */
export function nextURL<T>(page: Page<T>, next: NextPage<T>, subject: string): URL | undefined {
  if (next === 'link') {
    return linked(parseLinks(page.headers.link).find(({ rel }) => rel.includes('next'))?.target, page, subject);
  }
  if (typeof next === 'function') {
    const given = next(page);
    return linked(given instanceof URL ? given.href : given, page, subject);
  }
  if ('link' in next) return linked(valueAt(page.data, next.link), page, subject);
  if ('cursor' in next) return withCursor(valueAt(page.data, next.cursor), next, page, subject);
  if ('page' in next) return counted(next.page, 1, page, next.size);
  return counted(next.offset, page.items.length, page, next.size);
}

function linked(target: unknown, { url }: Page<unknown>, subject: string): URL | undefined {
  if (target === undefined || target === null || target === '' || target === false) return undefined;
  if (typeof target === 'string' && URL.canParse(target, url)) return new URL(target, url);
  throw new ProtocolError(`${subject}: the link to the next page is not a URL`);
}

function withCursor(
  cursor: unknown,
  { param }: { readonly param: string },
  { url }: Page<unknown>,
  subject: string,
): URL | undefined {
  if (cursor === undefined || cursor === null || cursor === '' || cursor === false) return undefined;
  if (typeof cursor !== 'string' && typeof cursor !== 'number')
    throw new ProtocolError(`${subject}: the cursor of the next page is neither a text nor a number`);
  const next = new URL(url);
  next.searchParams.set(param, String(cursor));
  return next;
}

function counted(name: string, step: number, { url, items }: Page<unknown>, size = 1): URL | undefined {
  if (items.length < size) return undefined;
  const next = new URL(url);
  next.searchParams.set(name, String(Number(next.searchParams.get(name) ?? 0) + step));
  return next;
}
