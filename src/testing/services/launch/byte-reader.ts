import type { Duplex } from 'node:stream';
import { ConnectionError } from '../../../core/index.js';

/** Reads a byte stream piece by piece, for the small protocol exchanges of readiness checks. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Duplex) {
    this.#chunks = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  }

  /** Exactly `size` bytes. @throws ConnectionError when the stream ends before */
  async bytes(size: number): Promise<Buffer> {
    while (this.#rest.length < size) await this.#more();
    const piece = this.#rest.subarray(0, size);
    this.#rest = this.#rest.subarray(size);
    return piece;
  }

  /** Up to the next CR LF, without it. @throws ConnectionError when the stream ends before */
  async line(): Promise<string> {
    let end = this.#rest.indexOf('\r\n');
    for (; end < 0; end = this.#rest.indexOf('\r\n')) await this.#more();
    const text = this.#rest.toString('utf8', 0, end);
    this.#rest = this.#rest.subarray(end + 2);
    return text;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new ConnectionError('The server closed the connection before it answered');
    this.#rest = Buffer.concat([this.#rest, value as Buffer]);
  }
}
