import { randomBytes } from 'node:crypto';
import { type Closeable, ClosedError, type CloseOptions, ConfigurationError, NotFoundError } from '../../core/index.js';
import { decodeBase64URL, decodeHex, lengthPrefixed } from '../bytes.js';
import { expandKey } from '../keys/expand.js';
import type { DataKeyPair, KeyProvider, KeyRequest, MacKeys, WrappedKey } from '../keys/key-provider.js';
import { UnknownKeyError } from '../unknown-key-error.js';
import { unwrapKey, wrapKey } from './key-wrap.js';

/**
 * `pending` opens and does not seal yet, `primary` seals and opens (there is one), `active` only opens,
 * `retired` does neither but can be made active again, `destroyed` is wiped for good.
 */
export type LocalKeyState = 'pending' | 'primary' | 'active' | 'retired' | 'destroyed';

/** A key for a {@link LocalKeyring}. */
export interface LocalKey {
  /** Written in clear into everything sealed: 1 to 255 bytes. Never give it to another key. */
  readonly id: string;
  /** 32 random bytes, as they are or as hex or base64url text. Copied. */
  readonly key: Uint8Array | string;
  /** @default 'primary' for the only key, else it must be said */
  readonly state?: LocalKeyState;
}

interface Held {
  state: LocalKeyState;
  secret: Buffer;
}

const keyBytes = 32;
const opening: readonly LocalKeyState[] = ['pending', 'primary', 'active'];

/**
 * Keys of 32 bytes within the process, which wrap data keys by AES-KWP (RFC 5649). Keys can be added,
 * promoted, retired and destroyed while it is used; an `Encryptor` follows with its next call.
 *
 * @example
 * const keys = new LocalKeyring({ keys: [{ id: '2026-01', key: process.env.DATA_KEY ?? '' }] });
 * keys.add({ id: '2026-02', key: next }); // pending: every process first learns to open with it
 * keys.promote('2026-02'); // seals from now on; 2026-01 still opens
 */
export class LocalKeyring implements KeyProvider, MacKeys, Closeable {
  readonly #keys: Map<string, Held> = new Map();
  #revision = 0;
  #closed = false;

  /** @throws ConfigurationError for a key that is not 32 bytes, ids that are empty or used twice, or not exactly one primary key */
  constructor(options: { readonly keys: readonly LocalKey[] }) {
    const keys = options?.keys;
    if (!Array.isArray(keys) || keys.length === 0) throw wrong('keys', 'must be an array with at least one key');
    const only = keys.length === 1;
    try {
      for (const key of keys as readonly LocalKey[]) {
        this.#put(key, key?.state ?? (only ? 'primary' : undefined));
      }
      if (this.#idsIn('primary').length !== 1)
        throw wrong('keys', "must have exactly one key with the state 'primary'");
    } catch (error) {
      this.#wipe();
      throw error;
    }
  }

  /** A new random key as base64url text, for a secret store. */
  static generateKey(): string {
    return randomBytes(keyBytes).toString('base64url');
  }

  get revision(): number {
    return this.#revision;
  }

  /** The id of the key that seals. @throws ClosedError */
  get primaryKeyId(): string {
    this.#assertOpen();
    return this.#idsIn('primary')[0] ?? '';
  }

  /** The ids of the keys that open, the primary one first. @throws ClosedError */
  get usableKeyIds(): readonly string[] {
    this.#assertOpen();
    return [...this.#idsIn('primary'), ...this.#idsIn('active'), ...this.#idsIn('pending')];
  }

  /** Every key's id and state, destroyed ones included. */
  states(): Readonly<Record<string, LocalKeyState>> {
    return Object.fromEntries([...this.#keys].map(([id, { state }]) => [id, state]));
  }

  /**
   * Adds a key that opens and does not seal yet.
   *
   * @throws ConfigurationError for a key that is not 32 bytes, or an id that was used before
   */
  add(key: LocalKey): void {
    this.#assertOpen();
    const state = key?.state ?? 'pending';
    if (state === 'primary')
      throw wrong('state', "cannot be 'primary' for an added key; promote it when all processes have it");
    this.#put(key, state);
    this.#revision += 1;
  }

  /** Makes a pending or active key the primary one; the one before stays active. @throws NotFoundError, ConfigurationError */
  promote(id: string): void {
    const held = this.#held(id);
    if (!opening.includes(held.state)) throw wrong(`key ${JSON.stringify(id)}`, `is ${held.state} and cannot seal`);
    for (const other of this.#keys.values()) if (other.state === 'primary') other.state = 'active';
    held.state = 'primary';
    this.#revision += 1;
  }

  /** Takes a key out of use without losing it: what it sealed opens again after {@link LocalKeyring.activate}. */
  retire(id: string): void {
    this.#leave(id, 'retired');
  }

  /** Lets a retired or pending key open. @throws NotFoundError, ConfigurationError for one that is destroyed or primary */
  activate(id: string): void {
    this.#leave(id, 'active');
  }

  /** Wipes a key: what it sealed can never be opened again with this keyring. The id stays taken. */
  destroy(id: string): void {
    const held = this.#leave(id, 'destroyed');
    held.secret.fill(0);
  }

  generateDataKey({ context }: KeyRequest): DataKeyPair {
    this.#assertOpen();
    const keyId = this.primaryKeyId;
    const plaintext = randomBytes(keyBytes);
    return { keyId, plaintext, wrapped: this.#with(keyId, wrapInfo(context), (key) => wrapKey(key, plaintext)) };
  }

  unwrapDataKey({ keyId, wrapped }: WrappedKey, { context }: KeyRequest): Uint8Array {
    return this.#with(keyId, wrapInfo(context), (key) => unwrapKey(key, wrapped));
  }

  needsRotation({ keyId }: WrappedKey): boolean {
    return keyId !== this.primaryKeyId;
  }

  deriveKey(keyId: string, purpose: string): Uint8Array {
    return this.#with(keyId, lengthPrefixed(Buffer.from('safla/keyring/derive'), Buffer.from(purpose)), Buffer.from);
  }

  /** Wipes every key. It is done when this returns; calls afterwards throw ClosedError. */
  async close(_options: CloseOptions = {}): Promise<void> {
    this.#wipe();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #with<T>(keyId: string, info: Uint8Array, use: (key: Buffer) => T): T {
    this.#assertOpen();
    const held = this.#keys.get(keyId);
    if (!held) throw new UnknownKeyError(keyId);
    if (!opening.includes(held.state)) throw new UnknownKeyError(keyId, `it is ${held.state}`);
    const key = expandKey(held.secret, info);
    try {
      return use(key);
    } finally {
      key.fill(0);
    }
  }

  #put({ id, key }: LocalKey, state: LocalKeyState | undefined): void {
    if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > 255)
      throw wrong('id', 'must be a text of 1 to 255 bytes');
    if (this.#keys.has(id)) throw wrong(`key ${JSON.stringify(id)}`, 'is there already; ids are never used again');
    if (state === undefined || ![...opening, 'retired'].includes(state)) {
      throw wrong('state', `of key ${JSON.stringify(id)} must be pending, primary, active or retired`);
    }
    this.#keys.set(id, { state, secret: secretOf(id, key) });
  }

  #held(id: string): Held {
    this.#assertOpen();
    const held = this.#keys.get(id);
    if (!held) throw new NotFoundError(`LocalKeyring has no key ${JSON.stringify(id)}`);
    return held;
  }

  #leave(id: string, state: LocalKeyState): Held {
    const held = this.#held(id);
    if (held.state === 'primary') throw wrong(`key ${JSON.stringify(id)}`, 'is primary; promote another key first');
    if (held.state === 'destroyed') throw wrong(`key ${JSON.stringify(id)}`, 'is destroyed');
    held.state = state;
    this.#revision += 1;
    return held;
  }

  #idsIn(state: LocalKeyState): string[] {
    return [...this.#keys].filter(([, held]) => held.state === state).map(([id]) => id);
  }

  #wipe(): void {
    this.#closed = true;
    this.#revision += 1;
    for (const { secret } of this.#keys.values()) secret.fill(0);
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('LocalKeyring');
  }
}

function wrapInfo(context: string): Buffer {
  return lengthPrefixed(Buffer.from('safla/keyring/wrap'), Buffer.from(context));
}

function secretOf(id: string, key: unknown): Buffer {
  const given = typeof key === 'string' ? (decodeHex(key.toLowerCase()) ?? decodeBase64URL(key)) : key;
  if (!(given instanceof Uint8Array) || given.length !== keyBytes) {
    throw wrong(
      `key ${JSON.stringify(id)}`,
      `must be ${keyBytes} random bytes, or these as hex or base64url; LocalKeyring.generateKey() makes one`,
    );
  }
  if (given.every((byte) => byte === 0)) throw wrong(`key ${JSON.stringify(id)}`, 'is all zeros, not random');
  const secret = Buffer.alloc(keyBytes);
  secret.set(given);
  return secret;
}

function wrong(field: string, message: string): ConfigurationError {
  return new ConfigurationError(`LocalKeyring: ${field} ${message}`, { field });
}
