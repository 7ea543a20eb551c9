import { ValidationError } from '../core/index.js';
import { encodeJSON } from '../core/internal.js';

/** What a frame carries: a text frame is a string, a binary frame bytes. */
export type FrameData = string | Uint8Array;

/** Turns messages into frames and back. Both ways may throw: `encode` to the sender, `decode` into `decodeError`. */
export interface Codec<In = unknown, Out = unknown> {
  /** As it reads in errors: `json`. */
  readonly name: string;
  encode(message: Out): FrameData;
  decode(data: FrameData): In;
}

/**
 * JSON in text frames, the default. Bytes are sent as they are, in a binary frame. A binary frame that
 * arrives is read as JSON too, since some servers send it so; when it is none, the message is its bytes.
 *
 * @throws ValidationError by `encode` for what JSON would change or lose (see `encodeJSON`), with the path
 */
export const jsonCodec: Codec = {
  name: 'json',
  encode: (message) => (message instanceof Uint8Array ? message : encodeJSON(message, 'message')),
  decode(data) {
    if (typeof data === 'string') return JSON.parse(data) as unknown;
    return mayBeJSON(data) ? parsedOr(data) : data;
  },
};

/** Frames as they are: texts and bytes, both ways. */
export const rawCodec: Codec<FrameData, FrameData> = {
  name: 'raw',
  encode(message) {
    if (typeof message === 'string' || message instanceof Uint8Array) return message;
    throw new ValidationError('message', [{ path: [], message: 'must be a text or bytes for the raw codec' }]);
  },
  decode: (data) => data,
};

/** The first byte of a JSON text: white space, a bracket, a quote, a number or a literal (RFC 8259 section 2). */
function mayBeJSON(data: Uint8Array): boolean {
  const first = data[0];
  return first !== undefined && ' \t\n\r[{"-0123456789tfn'.includes(String.fromCharCode(first));
}

function parsedOr(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) as unknown;
  } catch {
    return data;
  }
}
