import { decodeBase64url } from './base64url.js';
import { parseStrictObject } from './strict-json.js';
import { TokenError } from './token-error.js';

/** What a header says. Everything else in it (`jwk`, `jku`, `x5u`, ...) is data of the sender and not looked at. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
  /** Lower-case, without `application/` (RFC 7515 section 4.1.9); undefined when it is not said. */
  readonly typ: string | undefined;
}

/** A token in its strict form; nothing in it is trusted yet. */
export interface CompactToken {
  readonly header: TokenHeader;
  /** The payload part, still encoded: it is read after its signature was verified. */
  readonly payload: string;
  readonly signature: Buffer;
}

/** Headers repeat: those of one key are the same text. */
const known: Map<string, TokenHeader> = new Map();
const maxKnown = 256;
const maxHeader = 1_024;

/** @throws TokenError `malformed`, at a cost that `maxBytes` bounds */
export function splitToken(token: unknown, maxBytes: number): CompactToken {
  if (typeof token !== 'string') throw malformed('it is not a text');
  if (token.length > maxBytes) throw malformed(`it is longer than ${maxBytes} bytes`);
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  if (first < 0 || second < 0) throw malformed('it has not three parts');
  const header = token.slice(0, first);
  // A fourth part would begin with a dot here, which is no character of base64url.
  const signature = decodeBase64url(token.slice(second + 1));
  if (!signature) throw malformed('the signature is not strict base64url');
  return { header: known.get(header) ?? readHeader(header), payload: token.slice(first + 1, second), signature };
}

/** @throws TokenError `malformed` */
export function readPayload(payload: string): Record<string, unknown> {
  const bytes = decodeBase64url(payload);
  const claims = bytes && parseStrictObject(bytes);
  if (!claims) throw malformed('the payload is not strict base64url of a strict JSON object');
  return claims;
}

function readHeader(text: string): TokenHeader {
  const bytes = text.length <= maxHeader ? decodeBase64url(text) : undefined;
  const header = bytes && parseStrictObject(bytes);
  if (!header) throw malformed('the header is not strict base64url of a strict JSON object');
  // Extensions change what a signature means, and none is supported (RFC 7515 section 4.1.11, RFC 7797).
  for (const name of ['crit', 'b64', 'zip', 'enc']) if (name in header) throw malformed(`${name} is not supported`);
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') throw malformed('alg is missing');
  if (kid !== undefined && typeof kid !== 'string') throw malformed('kid is not a text');
  if (typ !== undefined && typeof typ !== 'string') throw malformed('typ is not a text');
  const read = { alg, kid, typ: typ === undefined ? undefined : mediaType(typ) };
  if (known.size >= maxKnown) known.clear();
  known.set(text, read);
  return read;
}

/** RFC 7515 section 4.1.9: without a slash, `application/` is meant; media types have no case. */
export function mediaType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

function malformed(detail: string): TokenError {
  return new TokenError('malformed', detail);
}
