/** Request or answer headers by lower-case name. */
export type Headers = Readonly<Record<string, string>>;

/** What is used of http-cache-semantics' `CachePolicy`; its own types are not there for our users. */
export interface CacheRules {
  storable(): boolean;
  /** Freshness lifetime in seconds, 0 without one. */
  maxAge(): number;
  /** In seconds. */
  age(): number;
  satisfiesWithoutRevalidation(request: { url: string; method: string; headers: Record<string, string> }): boolean;
}

/** One stored answer. */
export interface Variant {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly rules: CacheRules;
  /** What the request had in the fields the answer varies by. */
  readonly vary: readonly (readonly [field: string, value: string | undefined])[];
  /** Age when stored, in milliseconds. */
  readonly initialAgeMs: number;
  readonly storedAt: number;
  /** From when on it is stale, in milliseconds since the epoch. */
  readonly staleAt: number;
}

/** The fields an answer varies by, with the request's values; undefined for `*`, which matches no other request. */
export function varyOf(answer: Headers, request: Headers): Variant['vary'] | undefined {
  const fields = (answer.vary ?? '')
    .toLowerCase()
    .split(',')
    .flatMap((field) => field.trim() || []);
  return fields.includes('*') ? undefined : fields.map((field) => [field, normal(request[field])] as const);
}

/** RFC 9111 section 4.1. */
export function matches(variant: Variant, request: Headers): boolean {
  return variant.vary.every(([field, value]) => normal(request[field]) === value);
}

export function bytesOf({ headers, body }: Variant): number {
  let bytes = body.byteLength + 512;
  for (const [name, value] of Object.entries(headers)) bytes += name.length + value.length;
  return bytes;
}

function normal(value: string | undefined): string | undefined {
  return value?.trim().replaceAll(/\s*,\s*/g, ',');
}
