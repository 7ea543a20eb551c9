import { type Awaitable, type Clock, systemClock } from '../../core/index.js';
import { checkOptions, is } from '../../core/internal.js';
import { DecryptError } from '../decrypt-error.js';
import type { DataKeyPair, KeyProvider, KeyRequest, WrappedKey } from '../keys/key-provider.js';
import { UnknownKeyError } from '../unknown-key-error.js';
import { jsonOf, type KeyServiceClient, keyFromBase64, serviceFailure, statusOf, textMember } from './key-http.js';
import { type AwsCredentials, signV4 } from './sigv4.js';

/** Settings of an {@link AwsKmsKeyring}. */
export interface AwsKmsKeyringOptions {
  /** Sends to `https://kms.<region>.amazonaws.com`, the body byte for byte. */
  readonly client: KeyServiceClient;
  /** ARN of the key that seals. An alias does not do: sealed data names the key. */
  readonly keyArn: string;
  /** Further keys that may open. @default none */
  readonly openArns?: readonly string[];
  /** Asked before each request, so that temporary credentials stay fresh. */
  readonly credentials: () => Awaitable<AwsCredentials>;
  /** @default `kms.<region of the ARN>.amazonaws.com` */
  readonly host?: string;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

const service = 'AWS KMS';
const arn = /^arn:aws[\w-]*:kms:([a-z0-9-]+):\d{12}:key\/[\w-]+$/;
const blobBytes = 6_144;

/**
 * Data keys from AWS KMS: GenerateDataKey and Decrypt, signed with Signature Version 4. The Encryptor's
 * context goes into the EncryptionContext, where CloudTrail shows it.
 *
 * @example
 * const client = new APIIntegration({ baseURL: 'https://kms.eu-central-1.amazonaws.com' });
 * const keys = new AwsKmsKeyring({ client, keyArn, credentials: fromNodeProviderChain() });
 */
export class AwsKmsKeyring implements KeyProvider {
  readonly #options: AwsKmsKeyringOptions;
  readonly #region: string;
  readonly #host: string;
  readonly #clock: Clock;

  /** @throws ConfigurationError */
  constructor(options: AwsKmsKeyringOptions) {
    checkOptions<AwsKmsKeyringOptions>('AwsKmsKeyring', options, {
      client: is.required(is.object),
      keyArn: is.required((value, field) => {
        is.text(value, field);
        if (!arn.test(String(value))) is.oneOf('arn:aws:kms:<region>:<account>:key/<id>')(value, field);
      }),
      openArns: is.list,
      credentials: is.required(is.function),
      host: is.text,
      clock: is.object,
    });
    this.#options = { ...options };
    this.#region = arn.exec(options.keyArn)?.[1] ?? '';
    this.#host = options.host ?? `kms.${this.#region}.amazonaws.com`;
    this.#clock = options.clock ?? systemClock;
  }

  async generateDataKey(request: KeyRequest): Promise<DataKeyPair> {
    const keyId = this.#options.keyArn;
    const answer = await this.#ask('GenerateDataKey', { KeyId: keyId, KeySpec: 'AES_256' }, request).catch(
      (error: unknown) => {
        throw serviceFailure(service, error);
      },
    );
    return {
      keyId,
      plaintext: keyFromBase64(textMember(answer, 'Plaintext', service), service),
      wrapped: Buffer.from(textMember(answer, 'CiphertextBlob', service), 'base64'),
    };
  }

  async unwrapDataKey({ keyId, wrapped }: WrappedKey, request: KeyRequest): Promise<Uint8Array> {
    if (keyId !== this.#options.keyArn && !this.#options.openArns?.includes(keyId)) throw new UnknownKeyError(keyId);
    if (wrapped.length === 0 || wrapped.length > blobBytes) throw new DecryptError('the data key');
    const body = { KeyId: keyId, CiphertextBlob: Buffer.from(wrapped).toString('base64') };
    const answer = await this.#ask('Decrypt', body, request).catch((error: unknown) => {
      throw statusOf(error) === 400 ? refusal(error) : serviceFailure(service, error);
    });
    return keyFromBase64(textMember(answer, 'Plaintext', service), service);
  }

  needsRotation({ keyId }: WrappedKey): boolean {
    return keyId !== this.#options.keyArn;
  }

  async #ask(operation: string, input: Record<string, unknown>, { context, signal }: KeyRequest): Promise<unknown> {
    const bound = context === '' ? input : { ...input, EncryptionContext: { 'safla:context': context } };
    const body = JSON.stringify(bound);
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` };
    const signature = signV4(
      { host: this.#host, region: this.#region, service: 'kms', headers, body, time: new Date(this.#clock.now()) },
      await this.#options.credentials(),
    );
    const { data } = await this.#options.client.request('/', {
      method: 'POST',
      body,
      headers: { ...headers, ...signature },
      ...(signal ? { signal } : {}),
    });
    return jsonOf(data, service);
  }
}

/** KMS answers 400 to everything it refuses; only these two speak of the wrapped key. */
function refusal(error: unknown): unknown {
  const { data } = error as { readonly data?: unknown };
  const { __type: type } = (jsonOf(data, service) ?? {}) as { readonly __type?: unknown };
  return typeof type === 'string' && /(?:^|#)(?:InvalidCiphertext|IncorrectKey)Exception$/.test(type)
    ? new DecryptError('the data key')
    : serviceFailure(service, error);
}
