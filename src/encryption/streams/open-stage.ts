import { ChunkedOpener } from '../chunked/chunked-opener.js';
import type { InputKey } from '../chunked/input-key.js';
import { prefixBytes } from '../chunked/message-key.js';
import { DecryptError } from '../decrypt-error.js';
import { readHeader, type SealedHeader, suites } from '../sealed-header.js';
import type { Stage } from './stage.js';

/** The key that a header names, and what the body is bound to. */
export type OpeningKeyOf = (header: SealedHeader) => Promise<{ readonly key: InputKey; readonly binding: Uint8Array }>;

/** Opens a stream. Bytes are kept until header and commitment are there; these are checked before any chunk. */
export class OpenStage implements Stage {
  readonly #keyOf: OpeningKeyOf;
  readonly #subject: string;
  #start: Buffer = Buffer.alloc(0);
  #opener: ChunkedOpener | undefined;

  constructor(keyOf: OpeningKeyOf, subject: string) {
    this.#keyOf = keyOf;
    this.#subject = subject;
  }

  push(piece: Uint8Array): Promise<readonly Uint8Array[]> | readonly Uint8Array[] {
    if (this.#opener) return this.#opener.update(piece);
    this.#start = Buffer.concat([this.#start, piece]);
    const header = readHeader(this.#start, this.#subject);
    if ('needs' in header) return [];
    if (header.suite !== suites.chunked) throw new DecryptError(this.#subject);
    return this.#start.length < header.bytes.length + prefixBytes ? [] : this.#open(header);
  }

  end(): readonly Uint8Array[] {
    if (!this.#opener) throw new DecryptError(this.#subject);
    return [this.#opener.final()];
  }

  wipe(): void {
    this.#opener?.wipe();
  }

  async #open(header: SealedHeader): Promise<readonly Uint8Array[]> {
    const { key, binding } = await this.#keyOf(header);
    const body = this.#start.subarray(header.bytes.length);
    const opener = new ChunkedOpener(key, binding, body.subarray(0, prefixBytes), this.#subject);
    this.#opener = opener;
    this.#start = Buffer.alloc(0);
    return opener.update(body.subarray(prefixBytes));
  }
}
