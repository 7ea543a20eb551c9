import {
  ConfigurationError,
  ProtocolError,
  SaflaError,
  type StandardSchemaV1,
  ValidationError,
  validateSync,
} from '../core/index.js';
import type { Codec, FrameData } from './codec.js';

/** What a {@link MessageCodec} is made of. */
export interface MessageCodecParts<In, Out> {
  /** Of the server, as it reads in errors. */
  readonly name: string;
  readonly codec: Codec<unknown, Out>;
  readonly schema: StandardSchemaV1<unknown, In> | undefined;
  readonly maxPayloadBytes: number;
}

/** Codec, schema and size limit as one: messages to frames and back, with typed errors. */
export class MessageCodec<In, Out> {
  readonly #parts: MessageCodecParts<In, Out>;

  constructor(parts: MessageCodecParts<In, Out>) {
    this.#parts = parts;
  }

  /** @throws ValidationError when it is too long, and whatever the codec throws */
  encode(message: Out): FrameData {
    const { codec, maxPayloadBytes } = this.#parts;
    const data: unknown = codec.encode(message);
    if (typeof data !== 'string' && !(data instanceof Uint8Array))
      throw new ConfigurationError(`The codec '${codec.name}' gave neither a text nor bytes`, { field: 'codec' });
    // A UTF-16 unit is at most three bytes, so most texts need not be measured.
    if (data.length * 3 <= maxPayloadBytes) return data;
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    if (bytes <= maxPayloadBytes) return data;
    const issue = `has ${bytes} bytes, more than maxPayloadBytes (${maxPayloadBytes})`;
    throw new ValidationError('message', [{ path: [], message: issue }]);
  }

  /** @throws ProtocolError when the codec refuses it */
  decode(frame: FrameData): unknown {
    const { name, codec } = this.#parts;
    try {
      return codec.decode(frame);
    } catch (error) {
      if (SaflaError.is(error)) throw error;
      const text = `A message from ${name} could not be decoded by the codec '${codec.name}'`;
      // The text of a SyntaxError quotes the message.
      throw new ProtocolError(text, error instanceof SyntaxError ? {} : { cause: error });
    }
  }

  /** @throws ValidationError when the schema refuses it */
  check(message: unknown): In {
    const { name, schema } = this.#parts;
    return schema ? validateSync(schema, message, `message from ${name}`) : (message as In);
  }
}
