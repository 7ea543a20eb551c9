import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { UnsupportedError } from '../core/index.js';
import type { Binding } from './binding.js';
import { bytesOf, decodeBase64URL, invalid } from './bytes.js';
import type { BlindIndexOptions, SealContext } from './encryptor-options.js';
import type { MacKeys } from './keys/key-provider.js';

const mark = 'sfm1.';
const macBytes = 32;

/** Keyed digests: MACs, and blind indexes to find sealed values by. HMAC-SHA-256, a key for each purpose. */
export class KeyedDigests {
  readonly #keys: MacKeys | undefined;
  readonly #binding: Binding;
  readonly #derived: Map<string, KeyObject> = new Map();
  #revision: number | undefined;

  constructor(keys: MacKeys | undefined, binding: Binding) {
    this.#keys = keys;
    this.#binding = binding;
  }

  mac(data: string | Uint8Array, options: SealContext): string {
    const keyId = this.#source.primaryKeyId;
    const id = Buffer.from(keyId);
    return mark + Buffer.concat([Buffer.of(id.length), id, this.#macOf(keyId, data, options)]).toString('base64url');
  }

  verify(data: string | Uint8Array, mac: string, options: SealContext): boolean {
    const bytes = typeof mac === 'string' && mac.startsWith(mark) ? decodeBase64URL(mac.slice(mark.length)) : undefined;
    const idEnd = 1 + (bytes?.[0] ?? 0);
    if (!bytes || bytes.length !== idEnd + macBytes) return false;
    const keyId = bytes.toString('utf8', 1, idEnd);
    if (!this.#source.usableKeyIds.includes(keyId)) return false;
    return timingSafeEqual(this.#macOf(keyId, data, options), bytes.subarray(idEnd));
  }

  blindIndex(value: string | Uint8Array, options: BlindIndexOptions): string {
    return this.#indexOf(this.#source.primaryKeyId, value, options);
  }

  blindIndexes(value: string | Uint8Array, options: BlindIndexOptions): string[] {
    return this.#source.usableKeyIds.map((keyId) => this.#indexOf(keyId, value, options));
  }

  clear(): void {
    this.#derived.clear();
  }

  #macOf(keyId: string, data: string | Uint8Array, options: SealContext): Buffer {
    const context = this.#binding.contextOf(options, 'mac');
    const binding = this.#binding.of(Buffer.from('mac'), context);
    return createHmac('sha256', this.#key(keyId, 'mac')).update(binding).update(bytesOf(data, 'data')).digest();
  }

  #indexOf(keyId: string, value: string | Uint8Array, { index, bits = 128 }: BlindIndexOptions): string {
    if (typeof index !== 'string' || index === '') throw invalid('index', "must name the index, such as 'users.email'");
    if (!Number.isInteger(bits) || bits % 8 !== 0 || bits < 16 || bits > 256) {
      throw invalid('bits', 'must be a multiple of 8 from 16 to 256');
    }
    const binding = this.#binding.ofDigest('blind-index', index);
    const digest = createHmac('sha256', this.#key(keyId, 'blind-index'))
      .update(binding)
      .update(bytesOf(value, 'value'));
    return digest
      .digest()
      .subarray(0, bits / 8)
      .toString('base64url');
  }

  get #source(): MacKeys {
    if (this.#keys) return this.#keys;
    throw new UnsupportedError(
      'This key provider gives no keys for MACs and blind indexes: pass `macKeys`, such as a LocalKeyring, to the Encryptor',
    );
  }

  #key(keyId: string, purpose: string): KeyObject {
    const { revision } = this.#source as { readonly revision?: number };
    if (revision !== this.#revision) this.#derived.clear();
    this.#revision = revision;
    const name = `${purpose} ${keyId}`;
    let key = this.#derived.get(name);
    if (!key) {
      const bytes = this.#source.deriveKey(keyId, purpose);
      key = createSecretKey(bytes);
      bytes.fill(0);
      this.#derived.set(name, key);
    }
    return key;
  }
}
