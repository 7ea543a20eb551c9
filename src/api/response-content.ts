import { ProtocolError, redactText } from '../core/index.js';
import { nameError } from '../core/internal.js';
import type { HTTPAnswer } from '../drivers/http/index.js';

/** What of an answer decides how it is read. */
type Content = Pick<HTTPAnswer, 'status' | 'headers' | 'body'>;

/** How content of a media type is read. */
interface Reading {
  readonly as: 'json' | 'text' | 'bytes' | 'whatever it is';
  readonly type: string;
  readonly charset: string;
}

const previewCharacters = 200;
const maxRemembered = 100;
const jsonType = /^(?:application|text)\/(?:[\w.+-]+\+)?json$/;
const textType = /^text\/|^application\/(?:xml|javascript|x-www-form-urlencoded|x-ndjson|yaml)$|\+xml$|\+yaml$/;

/** An answer says it is something that it is not: JSON that does not parse, a charset that nobody knows. */
export class ContentError extends ProtocolError {
  static {
    nameError(this, 'ContentError');
  }

  readonly #preview: string;

  constructor(message: string, content: string) {
    super(message);
    // Masked as a whole, so that no credential is cut in a way that hides it from the mask.
    this.#preview = redactText(content.slice(0, previewCharacters * 4)).slice(0, previewCharacters);
  }

  /**
   * The first 200 characters of the content, credentials masked: an error page of a proxy says there what it
   * is. It can hold personal data, so the message, `inspect`, JSON, logs and spans do not show it.
   */
  get preview(): string {
    return this.#preview;
  }
}

/**
 * The data of an answer: parsed JSON, a text for text types, bytes (`Uint8Array`) for all others, and
 * `undefined` when there is no content (204, HEAD, an empty body). Without a media type, what parses as
 * JSON is JSON. A part (206) is bytes, as it need not begin or end with a character, and so is a text in a
 * coding that was not undone.
 *
 * @throws ContentError when it says JSON and is not, or names an unknown charset
 */
export function decodeContent({ status, headers, body }: Content, subject: string): unknown {
  if (body.byteLength === 0) return undefined;
  const { as, type, charset } = readingOf(headers['content-type'] ?? '');
  // The cache and callers at the same time share one body: what each gets is its own.
  const packed = isPacked(headers['content-encoding']);
  if (as === 'bytes' || status === 206 || (packed && as !== 'json')) return new Uint8Array(body);
  const text = decodeText(body, charset, subject);
  if (as === 'text') return text;
  try {
    return JSON.parse(text);
  } catch {
    if (as !== 'json') return text;
    const reason = packed
      ? 'is packed in a coding that is not undone here; stream() gives its bytes'
      : `is not valid JSON (${text.length} characters, see preview)`;
    // The parser's own message quotes the content.
    throw new ContentError(`${subject}: the answer says ${type} but ${reason}`, text);
  }
}

/** Transports undo these, and most take them out of the headers then. */
const undone: ReadonlySet<string> = new Set(['', 'identity', 'gzip', 'x-gzip', 'deflate', 'br']);

function isPacked(coding: string | undefined): boolean {
  return coding !== undefined && !coding.split(',').every((layer) => undone.has(layer.trim().toLowerCase()));
}

/** Servers use few media types: each is looked at once. */
const readings: Map<string, Reading> = new Map();

function readingOf(field: string): Reading {
  const known = readings.get(field);
  if (known) return known;
  const [type = '', ...parameters] = field.split(';').map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter))?.slice('charset='.length);
  const name = type.toLowerCase();
  const as = name === '' ? 'whatever it is' : jsonType.test(name) ? 'json' : textType.test(name) ? 'text' : 'bytes';
  const reading: Reading = { as, type: name, charset: charset?.replaceAll('"', '').toLowerCase() || 'utf-8' };
  if (readings.size >= maxRemembered) readings.clear();
  readings.set(field, reading);
  return reading;
}

function decodeText(body: Uint8Array, charset: string, subject: string): string {
  if (charset === 'utf-8' || charset === 'utf8') return utf8(body);
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    const message = `${subject}: the answer uses the unknown charset '${charset.slice(0, 40)}'`;
    throw new ContentError(message, utf8(body.subarray(0, previewCharacters * 4)));
  }
}

/** A Buffer decodes short texts in a fraction of a TextDecoder's time, but keeps the byte order mark. */
function utf8(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
