import { ProtocolError } from '../core/index.js';
import type { HTTPAnswer } from '../drivers/http/index.js';

/** What of an answer decides how it is read. */
type Content = Pick<HTTPAnswer, 'status' | 'headers' | 'body'>;

const jsonType = /^(?:application|text)\/(?:[\w.+-]+\+)?json$/;
const textType = /^text\/|^application\/(?:xml|javascript|x-www-form-urlencoded|x-ndjson|yaml)$|\+xml$|\+yaml$/;

/**
 * The data of an answer: parsed JSON, a text for text types, bytes (`Uint8Array`) for all others, and
 * `undefined` when there is no content (204, HEAD, an empty body). Without a media type, what parses as
 * JSON is JSON.
 *
 * @throws ProtocolError when it says JSON and is not, or names an unknown charset; the content is not in the error
 */
export function decodeContent({ headers, body }: Content, subject: string): unknown {
  if (body.byteLength === 0) return undefined;
  const [type, charset] = mediaType(headers['content-type']);
  if (type === undefined) return jsonOrText(decodeText(body, 'utf-8', subject));
  if (jsonType.test(type)) return parseJSON(decodeText(body, charset ?? 'utf-8', subject), type, subject);
  // The cache and callers at the same time share one body: what each gets is its own.
  return textType.test(type) ? decodeText(body, charset ?? 'utf-8', subject) : new Uint8Array(body);
}

function mediaType(field: string | undefined): readonly [type: string | undefined, charset: string | undefined] {
  const [type, ...parameters] = (field ?? '').split(';').map((part) => part.trim());
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter))?.slice('charset='.length);
  return [type?.toLowerCase() || undefined, charset?.replaceAll('"', '')];
}

function decodeText(body: Uint8Array, charset: string, subject: string): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    throw new ProtocolError(`${subject}: the answer uses the unknown charset '${charset.slice(0, 40)}'`);
  }
}

function parseJSON(text: string, type: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the content.
    throw new ProtocolError(`${subject}: the answer says ${type} but is not valid JSON (${text.length} characters)`);
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
