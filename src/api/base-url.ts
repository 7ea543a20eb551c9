import { ConfigurationError, ValidationError } from '../core/index.js';
import { is } from '../core/internal.js';
import { addQuery, type Query } from './query.js';

/** Backslashes, which URL parsers read as slashes, and characters that they drop without a word. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be found
const smuggled = /[\x00-\x1f\x7f\\]|^\s|\s$/;
const absolute = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * The address every request stays under. The configured origin is trusted; an endpoint may come from
 * data, so it can name nothing outside of the base path, by whatever spelling.
 */
export class BaseURL {
  readonly origin: string;
  /** As configured, without a slash at the end. */
  readonly href: string;
  readonly #prefix: string;

  /** @throws ConfigurationError for what is not an http(s) URL, or has credentials, a query or a fragment */
  constructor(baseURL: unknown, field: string) {
    is.url('http:', 'https:')(baseURL, field);
    const url = new URL(String(baseURL));
    if (url.username || url.password) throw unfit(field, 'credentials; pass them as auth');
    if (url.search || url.hash) throw unfit(field, 'a query or fragment; pass parameters per request');
    this.origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.href = url.origin + this.#prefix;
  }

  /**
   * The final URL of an endpoint: a path below the base, with or without a slash in front, or an
   * absolute URL of the same origin below the base, as servers give them in links. Empty is the base
   * itself.
   *
   * @param isOpen says which other origins an absolute URL may name. @default none
   * @throws ValidationError when it would leave the base
   */
  resolve(endpoint: string, query?: Query, isOpen?: (url: URL) => boolean): URL {
    const url = this.#parse(endpoint, isOpen);
    url.hash = '';
    if (query !== undefined) addQuery(url.searchParams, query);
    return url;
  }

  #parse(endpoint: unknown, isOpen?: (url: URL) => boolean): URL {
    if (typeof endpoint !== 'string')
      throw this.#refusal(`must be a text, got ${endpoint === null ? 'null' : typeof endpoint}`);
    const [route = ''] = endpoint.split(/[?#]/, 1);
    if (smuggled.test(route)) throw this.#refusal('has a backslash, a control character or white space around it');
    if (route.startsWith('//')) throw this.#refusal('is protocol-relative: it could name another host');
    const isAbsolute = absolute.test(route);
    const text = isAbsolute ? endpoint : this.href + separated(endpoint);
    if (!URL.canParse(text)) throw this.#refusal('is not a valid URL');
    const url = new URL(text);
    if (url.username || url.password) throw this.#refusal('holds credentials');
    if (isOpen?.(url)) return url;
    if (url.origin !== this.origin) throw this.#refusal('names another origin; security.allow opens others');
    if (!this.contains(url) || (!isAbsolute && climbs(route))) throw this.#refusal('leaves the base path');
    return url;
  }

  /** True for a URL of the origin that is at the base path or below it, in every reading. */
  contains({ origin, pathname }: URL): boolean {
    if (origin !== this.origin) return false;
    if (pathname !== this.#prefix && !pathname.startsWith(`${this.#prefix}/`)) return false;
    return !climbs(pathname.slice(this.#prefix.length));
  }

  #refusal(reason: string): ValidationError {
    return new ValidationError(`endpoint under ${this.href}`, [{ path: [], message: reason }]);
  }
}

/** `users`, `/users` and `?page=2` alike go directly after the base. */
function separated(endpoint: string): string {
  return endpoint === '' || /^[/?#]/.test(endpoint) ? endpoint : `/${endpoint}`;
}

/**
 * True when the path goes above where it starts in some reading of it: servers and proxies decode
 * escapes once, twice or not at all before they resolve dot segments.
 */
function climbs(path: string): boolean {
  let reading = path;
  for (let round = 0; round < 4; round++) {
    let depth = 0;
    for (const segment of reading.split(/[/\\]/)) {
      // Java servers cut parameters off (RFC 3986 section 3.3) before they resolve dots: `..;x` is `..` there.
      const [name = ''] = segment.split(';', 1);
      if (name !== segment && (name === '.' || name === '..')) return true;
      if (name === '..') depth -= 1;
      else if (name !== '' && name !== '.') depth += 1;
      if (depth < 0) return true;
    }
    const decoded = reading.replaceAll(/%(2e|2f|3b|5c|25)/gi, (escaped) => decodeURIComponent(escaped));
    if (decoded === reading) return false;
    reading = decoded;
  }
  // Escapes inside escapes inside escapes have no honest use.
  return true;
}

function unfit(field: string, what: string): ConfigurationError {
  return new ConfigurationError(`${field} must not hold ${what}`, { field });
}
