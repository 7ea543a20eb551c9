const mask = '[redacted]';

/** Keys whose values are secrets, compared without case and without `-` and `_`. */
const secretKey =
  /^(?:.*(?:authorization|password|passwd|passphrase|secret|apikey|accesskey|privatekey|masterkey|credentials?|token|cookie|signature)|pwd|auth|bearer|otp|pin)$/;

const secretName =
  '(?:passwords?|passwd|passphrase|pwd|secret|api[-_]?key|access[-_]?key|private[-_]?key|master[-_]?key|credentials?|token|signature)';
/** What a credential looks like where only its place speaks for it: with a digit, or long. */
const tokenLike = '(?=[^\\s,;]*\\d|[^\\s,;]{16})';
const quoted = '"(?:[^"\\\\]|\\\\.)*"?|\'(?:[^\'\\\\]|\\\\.)*\'?|\\\\"[^"]*"?';
const bare = '[^\\s"\'\\\\&,;})\\]]+';

/** In order, each linear in the text: nothing unbounded stands before what anchors a rule. */
const textRules: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, mask],
  [/(:\/\/)[^\s/?#"'<>]*@/g, `$1${mask}@`],
  [/\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s{0,4}[:=]\s{0,4}["']?)[^\r\n"']+/gi, `$1$2${mask}`],
  [new RegExp(`\\b(Bearer|Basic|Digest|ApiKey)\\s{1,4}${tokenLike}[\\w.~+/=-]{4,}`, 'gi'), `$1 ${mask}`],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, mask],
  [/([?&](?:key|sig|auth|code)=)[^&\s#"']+/gi, `$1${mask}`],
  [new RegExp(`(${secretName}\\\\?["']?\\s{0,4}=\\s{0,4})(?!\\[redacted])(?:${quoted}|${bare})`, 'gi'), `$1${mask}`],
  [new RegExp(`(${secretName}\\\\?["']?\\s{0,4}:\\s{0,4})(?:${quoted})`, 'gi'), `$1"${mask}"`],
  [new RegExp(`(${secretName}\\s{0,4}:\\s{0,4})(?!\\[redacted])${tokenLike}${bare}`, 'gi'), `$1${mask}`],
];

/** Limits that keep redacting cheap on any input; what lies beyond is left out and marked. */
const maxText = 32_768;
const maxDepth = 8;
const maxEntries = 200;
const maxNodes = 5_000;

/**
 * Masks what looks like a credential inside a text: users and passwords in URLs, authorization and
 * cookie lines, JSON Web Tokens, private keys, and pairs with a secret's name. Texts over 32,768
 * characters are cut.
 */
export function redactText(text: string): string {
  let out = text.length > maxText ? `${text.slice(0, maxText)}[cut]` : text;
  for (const [pattern, replacement] of textRules) out = out.replace(pattern, replacement);
  return out;
}

/**
 * A copy that is safe to log: values under secret keys are masked, texts pass {@link redactText},
 * cycles and what is deeper than 8 levels, longer than 200 entries or beyond 5,000 values in all is
 * cut and marked. The input is not changed, and nothing it does can make this throw. Every log, span
 * and error of this SDK passes through here.
 *
 * @example redact({ authorization: 'Bearer abc', url: 'https://u:p@h/' }) // { authorization: '[redacted]', url: 'https://[redacted]@h/' }
 */
export function redact(value: unknown): unknown {
  return new Copy().of(value, 0);
}

/** True when a key names a secret by the rule of {@link redact}. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key.toLowerCase().replaceAll(/[-_]/g, ''));
}

/** The message of anything that was thrown, masked. Total: whatever it is, this gives a text. */
export function describeError(error: unknown): string {
  try {
    return redactText(error instanceof Error ? String(error.message) : String(error));
  } catch {
    return 'an error that cannot be described';
  }
}

/** One run of {@link redact}: the values above the current one, and how many it may still visit. */
class Copy {
  readonly #above: Set<object> = new Set();
  #left: number = maxNodes;

  of(value: unknown, depth: number): unknown {
    try {
      return this.#copy(value, depth);
    } catch {
      return '[unreadable]';
    }
  }

  #copy(value: unknown, depth: number): unknown {
    if (this.#left-- <= 0) return '[cut]';
    if (typeof value === 'string') return redactText(value);
    if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
    if (typeof value === 'function') return `[function ${value.name}]`;
    if (typeof value !== 'object' || value === null) return value;
    if (this.#above.has(value)) return '[circular]';
    if (depth >= maxDepth) return '[deep]';
    if (value instanceof Date) return value;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
    this.#above.add(value);
    try {
      return this.#object(value, depth + 1);
    } finally {
      this.#above.delete(value);
    }
  }

  #object(value: object, depth: number): unknown {
    const member = (key: string): unknown => (value as Record<string, unknown>)[key];
    if (value instanceof Error) {
      const facts = this.#entries(Object.keys(value), member, depth);
      const base = { name: value.name, message: describeError(value), ...facts };
      return value.cause === undefined ? base : { ...base, cause: this.of(value.cause, depth) };
    }
    if (Array.isArray(value) || value instanceof Set) return this.#items([...(value as Iterable<unknown>)], depth);
    if (value instanceof URL) return redactText(value.href);
    if (value instanceof Map) return this.#entries([...value.keys()], (key) => value.get(key), depth);
    return this.#entries(Object.keys(value), member, depth);
  }

  #items(items: readonly unknown[], depth: number): unknown[] {
    const kept = items.slice(0, maxEntries).map((item) => this.of(item, depth));
    return items.length > maxEntries ? [...kept, `[${items.length - maxEntries} more]`] : kept;
  }

  #entries<Key>(keys: readonly Key[], read: (key: Key) => unknown, depth: number): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const key of keys.slice(0, maxEntries)) out[String(key)] = this.#entry(String(key), () => read(key), depth);
    if (keys.length > maxEntries) out['[cut]'] = `${keys.length - maxEntries} more`;
    return out;
  }

  #entry(key: string, read: () => unknown, depth: number): unknown {
    try {
      const value = read();
      const secret = isSecretKey(key) && value !== undefined && value !== null && typeof value !== 'boolean';
      return secret ? mask : this.of(value, depth);
    } catch {
      return '[unreadable]';
    }
  }
}
