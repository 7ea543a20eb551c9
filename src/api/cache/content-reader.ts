/** What an answer is decoded from. */
interface Encoded {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Gives the data of one stored answer, to each caller its own. */
export type ContentReader = () => unknown;

/** Deeper data is parsed anew instead of copied: copying nests calls. */
const maxDepth = 100;

/**
 * Decodes an answer once and copies its data for each use: eight times faster than parsing the text again.
 *
 * @param decode as callers get it from the wire
 */
export function contentReader<A extends Encoded>(answer: A, decode: (answer: A) => unknown): ContentReader {
  const data = decode(answer);
  if (typeof data !== 'object' || data === null) return () => data;
  if (data instanceof Uint8Array) return () => new Uint8Array(data);
  return isCopyable(data, maxDepth) ? () => copyOf(data) : () => decode(answer);
}

/** Bytes that the decoded data will take beside the body, by estimate: what JSON costs is its objects. */
export function decodedBytes({ headers, body }: Encoded): number {
  const type = headers['content-type'] ?? 'application/json';
  if (!/\bjson\b/i.test(type)) return body.byteLength;
  let bytes = 2 * body.byteLength;
  for (const byte of body) {
    if (byte === openBrace || byte === openBracket) bytes += 64;
    else if (byte === comma) bytes += 16;
  }
  return bytes;
}

const [comma, openBracket, openBrace] = [0x2c, 0x5b, 0x7b];

function copyOf(data: object): object {
  if (Array.isArray(data)) return data.map((item: unknown) => (isObject(item) ? copyOf(item) : item));
  const copy: Record<string, unknown> = { ...data };
  for (const name in copy) {
    const value = copy[name];
    if (isObject(value)) copy[name] = copyOf(value);
  }
  return copy;
}

/** False for what an assignment would not copy, and for what is nested too deep. */
function isCopyable(data: object, depth: number): boolean {
  if (depth === 0 || Object.hasOwn(data, '__proto__')) return false;
  return Object.values(data).every((value) => !isObject(value) || isCopyable(value, depth - 1));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
