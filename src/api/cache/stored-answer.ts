import { type ContentReader, decodedBytes } from './content-reader.js';

/** Request or answer headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** A request as the cache sees it. */
export interface CacheRequest {
  readonly method: string;
  /** Final URL. */
  readonly url: string;
  /** Whom the answer is for; entries of different principals never meet. */
  readonly principal: string;
  /** By lower-case name. */
  readonly headers: Headers;
}

/** What a server answered. */
export interface CacheableAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** A time span after an answer became stale, in which it may still be used; ends in milliseconds since the epoch. */
export interface StaleUse {
  /** While a newer one is fetched (RFC 5861 section 3). */
  readonly whileRevalidateUntil: number;
  /** When none can be got (RFC 5861 section 4). */
  readonly ifErrorUntil: number;
}

/** What is used of http-cache-semantics' `CachePolicy`; its own types are not there for our users. */
export interface CacheRules {
  storable(): boolean;
  /** Freshness lifetime in seconds, 0 without one. */
  maxAge(): number;
  satisfiesWithoutRevalidation(request: { url: string; method: string; headers: Record<string, string> }): boolean;
}

/** What is known of an answer's time. */
export interface Freshness extends StaleUse {
  readonly rules: CacheRules;
  /** Milliseconds since the epoch when it came. */
  readonly storedAt: number;
  /** How old it was then, in milliseconds (RFC 9111 section 4.2.3). */
  readonly initialAgeMs: number;
  /** From when on it is stale, in milliseconds since the epoch. */
  readonly staleAt: number;
  /** True when it must not be used stale, whatever the request or our settings allow. */
  readonly mustRevalidate: boolean;
}

/** One stored answer. */
export interface StoredAnswer extends CacheableAnswer {
  readonly freshness: Freshness;
  /** What the request had in the fields the answer varies by. */
  readonly vary: readonly (readonly [field: string, value: string | undefined])[];
  /** What it counts as: body, headers, and by estimate what is made of them. */
  readonly bytes: number;
  /** Made on the first use. */
  read?: ContentReader;
}

/** The bytes an answer counts as. */
export function bytesOf({ headers, body, vary }: Pick<StoredAnswer, 'headers' | 'body' | 'vary'>): number {
  let bytes = body.byteLength + decodedBytes({ headers, body }) + 1_024;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length;
  for (const [name, value] of vary) bytes += name.length + (value?.length ?? 0);
  return bytes;
}

/** How old an answer is, in milliseconds. */
export function ageOf({ freshness }: StoredAnswer, now: number): number {
  return freshness.initialAgeMs + now - freshness.storedAt;
}
