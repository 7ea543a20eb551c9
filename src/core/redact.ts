const mask = '[redacted]';

/** Keys whose values are secrets, compared without case and without `-` and `_`. */
const secretKey =
  /^(?:.*(?:authorization|password|passwd|passphrase|secret|apikey|accesskey|privatekey|masterkey|credentials?|token|cookie|signature)|pwd|auth|bearer|otp|pin)$/;

/** Query parameters and header-like pairs inside a text: `api_key=…`, `"password": "…"`, `token: …`. */
const textRules: readonly [RegExp, string][] = [
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:"'<>]*:[^\s/@"'<>]*@/gi, `$1${mask}@`],
  [/\b(Bearer|Basic|Digest|ApiKey)\s+[\w.~+/=-]{4,}/gi, `$1 ${mask}`],
  [/\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?/g, mask],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, mask],
  [
    /(["']?\b[\w-]*(?:password|passwd|secret|api[-_]?key|access[-_]?key|token|credential|signature)["']?\s*[=:]\s*)(["']?)(?!\[redacted\])[^\s"'&,;}]+\2/gi,
    `$1$2${mask}$2`,
  ],
];

/** Limits that keep {@link redact} cheap on any input; what lies beyond is left out and marked. */
const maxDepth = 8;
const maxEntries = 200;

/**
 * Masks what looks like a credential inside a text: user and password in URLs, authorization
 * schemes, JSON Web Tokens, private keys, and `key=value` pairs with a secret's name.
 */
export function redactText(text: string): string {
  let out = text;
  for (const [pattern, replacement] of textRules) out = out.replace(pattern, replacement);
  return out;
}

/**
 * A copy that is safe to log: values under secret keys are masked, texts pass {@link redactText},
 * cycles and anything deeper than 8 levels or longer than 200 entries are cut. The input is not
 * changed. Every log, span and error of this SDK passes through here.
 *
 * @example redact({ authorization: 'Bearer abc', url: 'https://u:p@h/' }) // { authorization: '[redacted]', url: 'https://[redacted]@h/' }
 */
export function redact(value: unknown): unknown {
  return copy(value, 0, new Set());
}

/** True when a key names a secret by the rule of {@link redact}. */
export function isSecretKey(key: string): boolean {
  return secretKey.test(key.toLowerCase().replaceAll(/[-_]/g, ''));
}

function copy(value: unknown, depth: number, seen: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (seen.has(value)) return '[circular]';
  if (depth >= maxDepth) return '[deep]';
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  seen.add(value);
  const out = copyObject(value, depth + 1, seen);
  seen.delete(value);
  return out;
}

function copyObject(value: object, depth: number, seen: Set<object>): unknown {
  if (value instanceof Error) {
    const base = { name: value.name, message: redactText(value.message), ...entriesOf(value, depth, seen) };
    return value.cause === undefined ? base : { ...base, cause: copy(value.cause, depth, seen) };
  }
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((item) => copy(item, depth, seen));
  if (value instanceof Map) return entriesOf(Object.fromEntries(value), depth, seen);
  if (value instanceof Set) return copyObject([...value], depth, seen);
  if (value instanceof URL) return redactText(value.href);
  return entriesOf(value, depth, seen);
}

function entriesOf(value: object, depth: number, seen: Set<object>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(value).slice(0, maxEntries)) {
    const item = (value as Record<string, unknown>)[key];
    out[key] =
      isSecretKey(key) && item !== undefined && item !== null && typeof item !== 'boolean'
        ? mask
        : copy(item, depth, seen);
  }
  return out;
}
