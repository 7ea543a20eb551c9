import { ChunkedSealer } from '../chunked/chunked-sealer.js';
import type { InputKey } from '../chunked/input-key.js';
import type { Stage } from './stage.js';

/** The key of a stream, and what stands before its body. */
export interface SealingKey {
  readonly key: InputKey;
  readonly header: Uint8Array;
  readonly binding: Uint8Array;
}

/** Seals a stream. The key is asked for with the first piece. */
export class SealStage implements Stage {
  readonly #keyOf: () => Promise<SealingKey>;
  #sealer: ChunkedSealer | undefined;

  constructor(keyOf: () => Promise<SealingKey>) {
    this.#keyOf = keyOf;
  }

  push(piece: Uint8Array): Promise<readonly Uint8Array[]> | readonly Uint8Array[] {
    return this.#sealer ? this.#sealer.update(piece) : this.#start((sealer) => sealer.update(piece));
  }

  end(): Promise<readonly Uint8Array[]> | readonly Uint8Array[] {
    return this.#sealer ? this.#sealer.final() : this.#start((sealer) => sealer.final());
  }

  wipe(): void {
    this.#sealer?.wipe();
  }

  async #start(use: (sealer: ChunkedSealer) => Uint8Array[]): Promise<Uint8Array[]> {
    const { key, header, binding } = await this.#keyOf();
    const sealer = new ChunkedSealer(key, binding);
    this.#sealer = sealer;
    return [header, sealer.prefix, ...use(sealer)];
  }
}
