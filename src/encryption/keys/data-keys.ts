import { LRUCache } from 'lru-cache';
import type { CallOptions, Clock } from '../../core/index.js';
import { Coalescer } from '../../resilience/index.js';
import { KeyExhaustedError } from '../key-exhausted-error.js';
import { assertIntact, type SealedHeader } from '../sealed-header.js';
import { DataKey } from './data-key.js';
import type { KeyProvider, WrappedKey } from './key-provider.js';

/** How long and for how much one data key seals. */
export interface DataKeyLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** How many unwrapped keys are kept for opening, and how long. */
export interface KeyCacheLimits {
  readonly maxKeys: number;
  readonly ttlMs: number;
}

interface Current {
  readonly key: DataKey;
  readonly expiresAt: number;
  messages: number;
  bytes: number;
}

interface Opened {
  readonly key: DataKey;
  readonly expiresAt: number;
}

const sealingFlight = 'seal';

/**
 * The data keys in use: one that seals, replaced when a limit is reached, and those unwrapped for
 * opening. The provider is asked once for what many want at the same time.
 */
export class DataKeys {
  readonly #provider: KeyProvider;
  readonly #context: string;
  readonly #limits: DataKeyLimits;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #opened: LRUCache<string, Opened>;
  readonly #flights: Coalescer<DataKey> = new Coalescer();
  #current: Current | undefined;
  #revision: number | undefined;
  #generation = 0;

  constructor(
    provider: KeyProvider,
    options: {
      readonly context: string;
      readonly limits: DataKeyLimits;
      readonly cache: KeyCacheLimits;
      readonly clock: Clock;
    },
  ) {
    this.#provider = provider;
    this.#context = options.context;
    this.#limits = options.limits;
    this.#ttlMs = options.cache.ttlMs;
    this.#clock = options.clock;
    this.#opened = new LRUCache({
      max: options.cache.maxKeys,
      dispose: ({ key }) => {
        if (key !== this.#current?.key) retire(key);
      },
    });
    this.#revision = provider.revision;
  }

  /**
   * The key to seal with, when it is at hand, counted as used for one message of this many bytes.
   *
   * @throws KeyExhaustedError when one message alone goes over `maxBytes`
   */
  sealingNow(bytes: number): DataKey | undefined {
    if (bytes > this.#limits.maxBytes) {
      throw new KeyExhaustedError(
        `${bytes} bytes are more than one data key may seal (dataKey.maxBytes is ${this.#limits.maxBytes})`,
      );
    }
    this.#followProvider();
    const current = this.#current;
    if (
      !current ||
      current.messages >= this.#limits.maxMessages ||
      current.bytes + bytes > this.#limits.maxBytes ||
      this.#clock.now() >= current.expiresAt
    )
      return undefined;
    current.messages += 1;
    current.bytes += bytes;
    return current.key;
  }

  /** The key to seal with, from the provider where a limit was reached. */
  async sealing(bytes: number, options: CallOptions): Promise<DataKey> {
    for (;;) {
      const key = this.sealingNow(bytes);
      if (key) return key;
      await this.#flights.run(sealingFlight, (signal) => this.#generate(signal), options);
    }
  }

  /** The key that sealed what has this header, when it is at hand. */
  openingNow({ keyName }: SealedHeader): DataKey | undefined {
    this.#followProvider();
    const entry = this.#opened.get(keyName);
    if (!entry) return undefined;
    if (this.#clock.now() < entry.expiresAt) return entry.key;
    this.#opened.delete(keyName);
    return undefined;
  }

  /**
   * The key that sealed what has this header. A damaged header is told before a key service is asked.
   *
   * @throws DecryptError, UnknownKeyError, or what the provider throws when it cannot be asked
   */
  async opening(header: SealedHeader, subject: string, options: CallOptions): Promise<DataKey> {
    assertIntact(header, subject);
    const wrapped = { keyId: header.keyId, wrapped: Buffer.from(header.wrapped) };
    for (;;) {
      const name = header.keyName;
      const key =
        this.openingNow(header) ??
        (await this.#flights.run(name, (signal) => this.#unwrap(name, wrapped, signal), options));
      if (!key.destroyed) return key;
    }
  }

  /** Wipes every key, now. */
  clear(): void {
    for (const { key } of this.#opened.values()) key.destroy();
    this.#current?.key.destroy();
    this.#forget();
  }

  async #generate(signal: AbortSignal): Promise<DataKey> {
    const generation = this.#generation;
    const { plaintext, keyId, wrapped } = await this.#provider.generateDataKey({ context: this.#context, signal });
    const key = new DataKey({ keyId, wrapped: Buffer.from(wrapped) }, plaintext);
    if (generation === this.#generation) this.#replace(key);
    else key.destroy();
    return key;
  }

  #replace(key: DataKey): void {
    const previous = this.#current?.key;
    this.#current = { key, expiresAt: this.#clock.now() + this.#limits.maxAgeMs, messages: 0, bytes: 0 };
    if (previous && this.#opened.peek(previous.name)?.key !== previous) retire(previous);
    this.#keep(key.name, key);
  }

  async #unwrap(name: string, key: WrappedKey, signal: AbortSignal): Promise<DataKey> {
    const generation = this.#generation;
    const opened = new DataKey(key, await this.#provider.unwrapDataKey(key, { context: this.#context, signal }));
    if (generation === this.#generation) this.#keep(name, opened);
    else opened.destroy();
    return opened;
  }

  #keep(name: string, key: DataKey): void {
    this.#opened.set(name, { key, expiresAt: this.#clock.now() + this.#ttlMs });
  }

  /** Forgets all keys when the provider's own have changed: the primary one, or what may be opened. */
  #followProvider(): void {
    if (this.#provider.revision === this.#revision) return;
    this.#revision = this.#provider.revision;
    this.#forget();
  }

  #forget(): void {
    this.#generation += 1;
    const current = this.#current?.key;
    this.#current = undefined;
    this.#opened.clear();
    if (current) retire(current);
  }
}

/** Wipes a key that is no longer given out, once those who were just given it have had their turn. */
function retire(key: DataKey): void {
  setImmediate(() => key.destroy()).unref();
}
