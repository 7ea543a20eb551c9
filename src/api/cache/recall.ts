import { openScope } from '../../core/index.js';
import { correlationIdHere } from '../../core/internal.js';
import type { APICall, APIResponse, RequestOptions } from '../api-call.js';
import { keyOf } from './answer-store.js';
import type { ContentReader } from './content-reader.js';
import type { HTTPCache } from './http-cache.js';
import { ageOf, type CacheRequest, type StoredAnswer } from './stored-answer.js';

/** What a call was prepared to, as far as the cache is concerned. */
interface Known {
  readonly key: string;
  readonly headers: CacheRequest['headers'];
}

/** What the way to a stored answer leads through. */
export interface RecallParts {
  readonly cache: HTTPCache;
  /** True while a call is prepared to the same request every time. */
  readonly isConstant: () => boolean;
  readonly readerOf: (answer: StoredAnswer) => ContentReader;
}

const maxKnown = 4_096;
const maxKeyLength = 1_024;
/** Fields that make a request more than a question for the current answer. */
const special = ['cache-control', 'pragma', 'range', 'if-none-match', 'if-modified-since'];

/**
 * The short way to stored answers: calls that were answered from the cache before are known by their
 * arguments, so that neither URL nor headers are made again. Everything unusual takes the long way, which
 * also says what is wrong with it.
 */
export class Recall {
  readonly #parts: RecallParts;
  readonly #known: Map<string, Known> = new Map();

  constructor(parts: RecallParts) {
    this.#parts = parts;
  }

  /** The response from a stored answer that is fresh, for a call that is known. */
  response(path: string, options: RequestOptions): APIResponse | undefined {
    if (this.#known.size === 0 || !isPlain(options) || !this.#parts.isConstant()) return undefined;
    const name = nameOf(path, options);
    const known = name === undefined ? undefined : this.#known.get(name);
    if (!known || isCancelled(path)) return undefined;
    const now = Date.now();
    const stored = this.#parts.cache.fresh(known.key, known.headers, now);
    if (!stored) return undefined;
    const ageMs = ageOf(stored, now);
    const read = stored.read ?? this.#parts.readerOf(stored);
    const headers = { ...stored.headers, age: String(Math.floor(ageMs / 1_000)) };
    return { data: read(), status: stored.status, headers, fromCache: true, ageMs, attempts: 0 };
  }

  /** Remembers what a call that was answered from the cache was prepared to. */
  learn(call: APICall, request: CacheRequest): void {
    const name = nameOf(call.path, call);
    if (name === undefined || name.length > maxKeyLength || request.url.length > maxKeyLength) return;
    if (call.method !== 'GET' || special.some((field) => field in request.headers)) return;
    // Calls that come again are learnt again.
    if (this.#known.size >= maxKnown) this.#known.clear();
    // Made anew for every call, it is no answer's to vary by.
    const { 'x-correlation-id': _, ...headers } = request.headers;
    this.#known.set(name, { key: keyOf(request), headers });
  }

  clear(): void {
    this.#known.clear();
  }
}

/** True for options that change nothing about the answer but what {@link nameOf} names, and are right. */
function isPlain(options: RequestOptions): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) {
    const value: unknown = options[name as keyof RequestOptions];
    switch (name) {
      case 'query':
      case 'headers':
      case 'schema':
        break;
      case 'cache':
        if (value !== true) return false;
        break;
      case 'method':
        if (value !== 'GET') return false;
        break;
      case 'signal':
        if (!(value instanceof AbortSignal) || value.aborted) return false;
        break;
      case 'timeoutMs':
        if (typeof value !== 'number' || !(value > 0)) return false;
        break;
      default:
        return false;
    }
  }
  return true;
}

/** A text that two calls share only if they ask for the same; undefined where that cannot be told from outside. */
function nameOf(path: unknown, { query, headers }: Pick<RequestOptions, 'query' | 'headers'>): string | undefined {
  if (typeof path !== 'string') return undefined;
  if (query === undefined && headers === undefined) return path;
  const parameters = pairsOf(query, isWritable);
  const fields = pairsOf(headers, isText);
  // No path that can be asked for begins so.
  return parameters === undefined || fields === undefined
    ? undefined
    : `\0${path.length}${path}${parameters}\0${fields}`;
}

/** Names and values of a plain object, each with its length in front: nothing can stand for something else. */
function pairsOf(values: object | undefined, isUsable: (value: unknown) => boolean): string | undefined {
  if (values === undefined) return '';
  if (values === null || Object.getPrototypeOf(values) !== Object.prototype) return undefined;
  let text = '';
  for (const name in values) {
    const value: unknown = (values as Record<string, unknown>)[name];
    if (value === undefined) continue;
    if (!isUsable(value)) return undefined;
    const written = String(value);
    text += `${name.length}:${name}${written.length}:${written}`;
  }
  return text;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isWritable(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** True when the surrounding context has ended. Every context has a correlation id, and most calls no context. */
function isCancelled(subject: string): boolean {
  return correlationIdHere() !== undefined && hasEnded(subject);
}

function hasEnded(subject: string): boolean {
  using scope = openScope(subject);
  return scope.cancelled;
}
