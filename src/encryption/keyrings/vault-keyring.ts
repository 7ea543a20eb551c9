import { checkOptions, is } from '../../core/internal.js';
import { DecryptError } from '../decrypt-error.js';
import type { DataKeyPair, KeyProvider, KeyRequest, WrappedKey } from '../keys/key-provider.js';
import { UnknownKeyError } from '../unknown-key-error.js';
import { jsonOf, type KeyServiceClient, keyFromBase64, serviceFailure, statusOf, textMember } from './key-http.js';

/** Settings of a {@link VaultKeyring}. */
export interface VaultKeyringOptions {
  /** Sends to `<address>/v1` with the header `X-Vault-Token`. */
  readonly client: KeyServiceClient;
  /** Name of the transit key. */
  readonly key: string;
  /** Where the engine is mounted. @default 'transit' */
  readonly mount?: string;
  /**
   * True for a key created with `derived=true`: Vault then binds the Encryptor's context, which must not
   * be empty. @default false
   */
  readonly derived?: boolean;
}

const service = 'Vault';
const versionOf = /^vault:v(\d{1,9}):/;

/**
 * Data keys from the transit engine of HashiCorp Vault or OpenBao: `datakey/plaintext` and `decrypt`. After
 * `rotate` in Vault, new data keys come from the new version, and `needsRotation` is true for older ones
 * as soon as this object has seen it.
 *
 * @example
 * const auth = { type: 'header', name: 'X-Vault-Token', value: token };
 * const client = new APIIntegration({ baseURL: `${address}/v1`, auth });
 * const encryptor = new Encryptor({ keys: new VaultKeyring({ client, key: 'orders' }) });
 */
export class VaultKeyring implements KeyProvider {
  readonly #options: VaultKeyringOptions;
  readonly #id: string;
  #latest = 0;

  /** @throws ConfigurationError */
  constructor(options: VaultKeyringOptions) {
    checkOptions<VaultKeyringOptions>('VaultKeyring', options, {
      client: is.required(is.object),
      key: is.required(is.text),
      mount: is.text,
      derived: is.flag,
    });
    this.#options = { ...options };
    this.#id = `vault/${options.mount ?? 'transit'}/${options.key}`;
  }

  async generateDataKey(request: KeyRequest): Promise<DataKeyPair> {
    const answer = await this.#ask('datakey/plaintext', { bits: 256 }, request).catch((error: unknown) => {
      throw serviceFailure(service, error);
    });
    const wrapped = textMember(answer, 'ciphertext', service);
    this.#latest = Math.max(this.#latest, version(wrapped));
    const plaintext = keyFromBase64(textMember(answer, 'plaintext', service), service);
    return { keyId: this.#id, plaintext, wrapped: Buffer.from(wrapped, 'latin1') };
  }

  async unwrapDataKey({ keyId, wrapped }: WrappedKey, request: KeyRequest): Promise<Uint8Array> {
    if (keyId !== this.#id) throw new UnknownKeyError(keyId);
    const ciphertext = Buffer.from(wrapped).toString('latin1');
    if (!versionOf.test(ciphertext)) throw new DecryptError('the data key');
    const answer = await this.#ask('decrypt', { ciphertext }, request).catch((error: unknown) => {
      // Vault answers 400 when the ciphertext or the context is not the one it gave.
      throw statusOf(error) === 400 ? new DecryptError('the data key') : serviceFailure(service, error);
    });
    this.#latest = Math.max(this.#latest, version(ciphertext));
    return keyFromBase64(textMember(answer, 'plaintext', service), service);
  }

  needsRotation({ keyId, wrapped }: WrappedKey): boolean {
    return keyId !== this.#id || version(Buffer.from(wrapped).toString('latin1')) < this.#latest;
  }

  async #ask(operation: string, body: Record<string, unknown>, { context, signal }: KeyRequest): Promise<unknown> {
    const { client, mount = 'transit', key, derived } = this.#options;
    const bound = derived ? { ...body, context: Buffer.from(context).toString('base64') } : body;
    const { data } = await client.request(`/${mount}/${operation}/${encodeURIComponent(key)}`, {
      method: 'POST',
      body: JSON.stringify(bound),
      headers: { 'content-type': 'application/json' },
      ...(signal ? { signal } : {}),
    });
    return (jsonOf(data, service) as { readonly data?: unknown } | null)?.data;
  }
}

function version(ciphertext: string): number {
  return Number(versionOf.exec(ciphertext)?.[1] ?? 0);
}
