import { createHash, randomBytes } from 'node:crypto';
import { type CallScope, type Closeable, type CloseOptions, Lifecycle, openScope, systemClock } from '../core/index.js';
import { Binding } from './binding.js';
import { bytesOf, invalid, textOf } from './bytes.js';
import { DecryptError } from './decrypt-error.js';
import {
  type BlindIndexOptions,
  checkEncryptorOptions,
  type EncryptorOptions,
  formatOf,
  type RangeOptions,
  type SealContext,
  type SealOptions,
} from './encryptor-options.js';
import { changeFields } from './fields/field-paths.js';
import { decodeFieldValue, encodeFieldValue } from './fields/field-value.js';
import type { SealedFields } from './fields/sealed-fields.js';
import { describeToken, headerOf, type TokenInfo } from './inspect.js';
import { KeyedDigests } from './keyed-digests.js';
import { DataKeys } from './keys/data-keys.js';
import type { KeyProvider, MacKeys } from './keys/key-provider.js';
import { TokenCipher } from './messages/token-cipher.js';
import { bytesOfToken, isToken } from './messages/token-text.js';
import { suites } from './sealed-header.js';
import { openPlainRange, rangeOf } from './streams/open-range.js';
import { type OpeningKeyOf, OpenStage } from './streams/open-stage.js';
import { type RangeSource, rangeReader } from './streams/range-source.js';
import { type ByteSource, runStage, type StageRun, stageTransform } from './streams/run-stage.js';
import { SealStage } from './streams/seal-stage.js';
import type { Stage } from './streams/stage.js';

/**
 * Seals and opens data under keys that a provider keeps: messages, streams, parts of streams and fields
 * of objects. What is sealed says which key opens it, is bound to its context, and is refused when a bit
 * of it was changed. docs/encryption.md specifies the format.
 *
 * @example
 * await using encryptor = new Encryptor({ keys, context: 'billing' });
 * const token = await encryptor.seal('4111 1111 1111 1111', { context: 'user:42/card' });
 * const card = await encryptor.openText(token, { context: 'user:42/card' });
 */
export class Encryptor implements Closeable {
  readonly #lifecycle: Lifecycle = new Lifecycle('Encryptor');
  readonly #provider: KeyProvider;
  readonly #binding: Binding;
  readonly #keys: DataKeys;
  readonly #tokens: TokenCipher;
  readonly #digests: KeyedDigests;

  /** @throws ConfigurationError */
  constructor(options: EncryptorOptions) {
    checkEncryptorOptions(options);
    this.#provider = options.keys;
    this.#binding = new Binding(options.context);
    this.#keys = new DataKeys(options.keys, {
      context: options.context ?? '',
      limits: { maxMessages: 2 ** 30, maxBytes: 2 ** 38, maxAgeMs: 3_600_000, ...options.dataKey },
      cache: { maxKeys: 1_000, ttlMs: 600_000, ...options.keyCache },
      clock: options.clock ?? systemClock,
    });
    this.#tokens = new TokenCipher(this.#keys, this.#lifecycle);
    this.#digests = new KeyedDigests(options.macKeys ?? macKeysOf(options.keys), this.#binding);
  }

  /**
   * Seals a text or bytes as a token: `sf1.` and base64url. Up to about 380 MB, which is what a string
   * holds; {@link Encryptor.sealStream} has no such limit. Do not change the bytes before it settles.
   *
   * @throws ValidationError without context, for a lone surrogate, or data too long; KeyExhaustedError; what the key provider throws; ClosedError
   */
  async seal(data: string | Uint8Array, options: SealOptions): Promise<string> {
    const context = this.#binding.contextOf(options, 'seal');
    return this.#tokens.seal(data, formatOf(options), options, (header) => this.#binding.of(header, context));
  }

  /**
   * The bytes that were sealed, those of a text as UTF-8.
   *
   * @throws DecryptError when the token was changed, or key or context are others; UnknownKeyError; what the key provider throws; ClosedError
   */
  async open(token: string, options: SealContext): Promise<Buffer> {
    const context = this.#binding.contextOf(options, 'open');
    return this.#tokens.open(assertText(token), options, (header) => this.#binding.of(header, context));
  }

  /** {@link Encryptor.open} as text. @throws ValidationError when bytes were sealed that are not UTF-8 */
  async openText(token: string, options: SealContext): Promise<string> {
    return textOf(await this.open(token, options), 'what was sealed');
  }

  /**
   * A web stream to pipe through, or, with a source, the sealed pieces as they are read, which is what
   * `pipeline` of `node:stream` takes. They are the bytes that a token would hold; memory stays at one piece.
   *
   * @throws ValidationError without context, or for pieces that are not bytes
   * @example await pipeline(createReadStream(from), (file) => encryptor.sealStream(file, { context }), createWriteStream(to));
   */
  sealStream(options: SealContext): TransformStream<Uint8Array, Uint8Array>;
  sealStream(source: ByteSource, options: SealContext): AsyncIterableIterator<Uint8Array>;
  sealStream(
    first: SealContext | ByteSource,
    second?: SealContext,
  ): TransformStream<Uint8Array, Uint8Array> | AsyncIterableIterator<Uint8Array> {
    return this.#stream('sealStream', first, second, (context, scope) => {
      return new SealStage(async () => {
        const key = await this.#keys.sealing(0, scope);
        const header = key.header(suites.chunked);
        return { key: key.chunked, header, binding: this.#binding.of(header, context) };
      });
    });
  }

  /**
   * The way back of {@link Encryptor.sealStream}, in the same two forms. Every piece that comes out is
   * authentic; that nothing is missing is only known at the end, so keep the result only when it ended well.
   *
   * @throws DecryptError at the first change, and at the end when the stream was cut
   */
  openStream(options: SealContext): TransformStream<Uint8Array, Uint8Array>;
  openStream(source: ByteSource, options: SealContext): AsyncIterableIterator<Uint8Array>;
  openStream(
    first: SealContext | ByteSource,
    second?: SealContext,
  ): TransformStream<Uint8Array, Uint8Array> | AsyncIterableIterator<Uint8Array> {
    return this.#stream('openStream', first, second, (context, scope) => {
      return new OpenStage(this.#keyOf('the stream', scope, context), 'the stream');
    });
  }

  /**
   * A part of what `sealStream` sealed, without reading the rest: only the chunks of 16 KiB it lies in, and
   * the last one, which proves the length. The part is empty where the plaintext ends before it.
   *
   * @throws DecryptError, also when the stream was cut elsewhere; ValidationError for a bad range or source
   * @example const head = await encryptor.openRange(await openAsBlob(path), { context, end: 1_024 });
   */
  async openRange(source: RangeSource, options: RangeOptions): Promise<Buffer> {
    const context = this.#binding.contextOf(options, 'openRange');
    const range = rangeOf(options.start, options.end);
    return this.#lifecycle.call('openRange', options, async (scope) => {
      return openPlainRange(await rangeReader(source), range, this.#keyOf('the stream', scope, context), scope);
    });
  }

  /**
   * A copy of an object with the fields at `paths` sealed as short tokens, each bound to the context and to
   * its own path. Types come back with {@link Encryptor.openFields}: numbers, dates, bytes, BigInt, `null`,
   * Map, Set, nested objects. Missing fields stay missing; what lies beside the paths is shared.
   *
   * @param paths `ssn`, `card.number`, `items.*.note` (every element or key)
   * @throws ValidationError for a field that is sealed already, or holds what cannot be kept (a function, an instance of a class)
   * @example const row = await encryptor.sealFields(user, ['ssn', 'card.number'], { context: `user:${user.id}` });
   */
  async sealFields<T extends object, const P extends string>(
    value: T,
    paths: readonly P[],
    options: SealContext,
  ): Promise<SealedFields<T, P>> {
    const context = this.#binding.contextOf(options, 'sealFields');
    const sealed = await changeFields(value, paths, async (field, path) => {
      if (isToken(field)) throw invalid(path, 'is sealed already');
      return this.#tokens.seal(encodeFieldValue(field, path), 'short', options, (header) =>
        this.#binding.of(header, context, path),
      );
    });
    return sealed as SealedFields<T, P>;
  }

  /**
   * The way back of {@link Encryptor.sealFields}, with the same paths and context.
   *
   * @throws DecryptError also for a field that is no token
   */
  async openFields<T extends object = Record<string, unknown>>(
    value: object,
    paths: readonly string[],
    options: SealContext,
  ): Promise<T> {
    const context = this.#binding.contextOf(options, 'openFields');
    const opened = await changeFields(value, paths, async (token, path) => {
      if (typeof token !== 'string') throw new DecryptError('the field');
      const bytes = await this.#tokens.open(token, options, (header) => this.#binding.of(header, context, path));
      return decodeFieldValue(bytes.toString('utf8'));
    });
    return opened as T;
  }

  /**
   * Seals again under the key that is primary now, in the same format. The old token opens as before.
   *
   * @throws as {@link Encryptor.open} and {@link Encryptor.seal}
   */
  async rotate(token: string, options: SealContext): Promise<string> {
    const { format } = this.inspect(token);
    const bytes = await this.open(token, options);
    try {
      return await this.seal(bytes, { ...options, format });
    } finally {
      if (format === 'short') bytes.fill(0);
    }
  }

  /** {@link Encryptor.rotate} for the tokens that `sealFields` made. */
  async rotateFields<T extends object>(value: T, paths: readonly string[], options: SealContext): Promise<T> {
    return (await this.sealFields(await this.openFields(value, paths, options), paths, options)) as T;
  }

  /** True when the token was sealed under a key that is not the primary one any more. @throws DecryptError */
  needsRotation(token: string): boolean {
    return this.#provider.needsRotation(headerOf(bytesOfToken(assertText(token)), 'the token'));
  }

  /** What a token says of itself. @throws DecryptError when it is not a token */
  inspect(token: string): TokenInfo {
    return describeToken(bytesOfToken(assertText(token)));
  }

  /**
   * A keyed digest that says who made the data: `sfm1.` and base64url of key id and HMAC-SHA-256.
   *
   * @throws ValidationError without context; UnsupportedError when there are no {@link MacKeys}
   */
  mac(data: string | Uint8Array, options: SealContext): string {
    this.#lifecycle.assertOpen();
    return this.#digests.mac(data, options);
  }

  /** False for another text, context or key, and for what is no MAC. */
  verifyMac(data: string | Uint8Array, mac: string, options: SealContext): boolean {
    this.#lifecycle.assertOpen();
    return this.#digests.verify(data, mac, options);
  }

  /**
   * A keyed digest of a value, to find sealed values by equality: store it beside the token. Equal values
   * have equal indexes, so values with few possibilities show how often each occurs. Put the value into one
   * form first (case, Unicode normalisation).
   *
   * @throws ValidationError; UnsupportedError when there are no {@link MacKeys}
   */
  blindIndex(value: string | Uint8Array, options: BlindIndexOptions): string {
    this.#lifecycle.assertOpen();
    return this.#digests.blindIndex(value, options);
  }

  /** The indexes of a value under every usable key, the primary one first: search for all of them while keys rotate. */
  blindIndexes(value: string | Uint8Array, options: BlindIndexOptions): string[] {
    this.#lifecycle.assertOpen();
    return this.#digests.blindIndexes(value, options);
  }

  /** SHA-256 as hex, to recognise content. It has no key: whoever can guess the value can find it; see `blindIndex`. */
  hash(data: string | Uint8Array): string {
    return createHash('sha256').update(bytesOf(data, 'data')).digest('hex');
  }

  /**
   * A random text that cannot be guessed, as base64url.
   *
   * @throws ValidationError for fewer than 16 bytes
   */
  token(options: { /** @default 32 */ readonly bytes?: number } = {}): string {
    const { bytes = 32 } = options;
    if (!Number.isSafeInteger(bytes) || bytes < 16 || bytes > 65_536) {
      throw invalid('bytes', 'must be a whole number from 16 to 65,536');
    }
    return randomBytes(bytes).toString('base64url');
  }

  /** Waits for running calls, then wipes the data keys. Calls afterwards reject with ClosedError. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => {
      this.#keys.clear();
      this.#digests.clear();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keyOf(subject: string, scope: CallScope, context: Buffer): OpeningKeyOf {
    return async (header) => ({
      key: (await this.#keys.opening(header, subject, scope)).chunked,
      binding: this.#binding.of(header.bytes, context),
    });
  }

  #stream(
    call: string,
    first: SealContext | ByteSource,
    second: SealContext | undefined,
    stageOf: (context: Buffer, scope: CallScope) => Stage,
  ): TransformStream<Uint8Array, Uint8Array> | AsyncIterableIterator<Uint8Array> {
    this.#lifecycle.assertOpen();
    const options = second ?? (first as SealContext);
    const context = this.#binding.contextOf(options, call);
    const open = (): StageRun => {
      const scope = openScope(call, options);
      return { stage: stageOf(context, scope), scope, assertOpen: () => this.#lifecycle.assertOpen() };
    };
    // A source is not touched, nor a signal listened to, before the first piece is asked for.
    return second === undefined ? stageTransform(open()) : runStage(first as ByteSource, open);
  }
}

function assertText(token: string): string {
  if (typeof token !== 'string') throw invalid('token', 'must be a text');
  return token;
}

function macKeysOf(keys: KeyProvider): MacKeys | undefined {
  return 'deriveKey' in keys ? (keys as KeyProvider & MacKeys) : undefined;
}
