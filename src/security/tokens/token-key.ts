import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, KeyObject } from 'node:crypto';
import { ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import { isTokenAlgorithm, keyFault, type TokenAlgorithm, tokenAlgorithms } from './algorithms.js';

/**
 * The life of a key: `pending` verifies and is published, so that every verifier knows it before it signs;
 * `primary` signs, there is one; `active` signs no more and verifies what it signed; `retired` does nothing.
 */
export type KeyState = 'pending' | 'primary' | 'active' | 'retired';

/** Key material: PEM, a JSON Web Key, or a KeyObject. */
export type KeyMaterial = string | JsonWebKey | KeyObject;

/** One key of a {@link KeyRing}. */
export interface TokenKeyOptions {
  /** Its `kid`: names this key and its one algorithm for ever. */
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  /** For HS256, HS384, HS512: 32, 48, 64 bytes or more. A text counts as its UTF-8 bytes. */
  readonly secret?: string | Uint8Array | KeyObject;
  /** For the others, to sign and verify. */
  readonly privateKey?: KeyMaterial;
  /** For the others, to verify only. */
  readonly publicKey?: KeyMaterial;
  /** @default 'primary' with a secret or private key, else 'active' */
  readonly state?: KeyState;
}

const optionChecks: OptionChecks<TokenKeyOptions> = {
  id: is.required(is.text),
  algorithm: is.required(is.oneOf(...tokenAlgorithms)),
  secret: is.anything,
  privateKey: is.anything,
  publicKey: is.anything,
  state: is.oneOf('pending', 'primary', 'active', 'retired'),
};

/** A key that was checked against its algorithm: the one place where both meet. */
export class TokenKey {
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  readonly state: KeyState;
  /** Signs; undefined for a public key. */
  readonly signer: KeyObject | undefined;
  readonly verifier: KeyObject;

  /** @throws ConfigurationError that names the key by its id and never shows it */
  constructor(options: TokenKeyOptions) {
    checkOptions('key', options, optionChecks);
    const field = `key '${options.id}'`;
    const given = (['secret', 'privateKey', 'publicKey'] as const).filter((name) => options[name] !== undefined);
    const name = given[0];
    if (name === undefined || given.length > 1) throw refusal(field, 'needs one of secret, privateKey and publicKey');
    const object = toKeyObject(name, options[name], field, options.algorithm);
    const fault = keyFault(options.algorithm, object);
    if (fault) throw refusal(`${field}: ${name}`, fault);
    this.id = options.id;
    this.algorithm = options.algorithm;
    this.signer = object.type === 'public' ? undefined : object;
    this.verifier = object.type === 'private' ? createPublicKey(object) : object;
    this.state = options.state ?? (this.signer ? 'primary' : 'active');
    if (this.state === 'primary' && !this.signer) throw refusal(field, 'cannot be primary: a public key does not sign');
  }

  /** The same key in another state. */
  as(state: KeyState): TokenKey {
    const [name, material] = this.#material();
    return new TokenKey({ id: this.id, algorithm: this.algorithm, [name]: material, state });
  }

  /** The public half as a JSON Web Key (RFC 7517); undefined for a secret. */
  toJWK(): JsonWebKey | undefined {
    if (this.verifier.type === 'secret') return undefined;
    return { ...this.verifier.export({ format: 'jwk' }), kid: this.id, alg: this.algorithm, use: 'sig' };
  }

  #material(): ['secret' | 'privateKey' | 'publicKey', KeyObject] {
    if (!this.signer) return ['publicKey', this.verifier];
    return [this.signer.type === 'secret' ? 'secret' : 'privateKey', this.signer];
  }
}

function toKeyObject(
  name: 'secret' | 'privateKey' | 'publicKey',
  material: unknown,
  field: string,
  algorithm: TokenAlgorithm,
): KeyObject {
  const wanted = { secret: 'secret', privateKey: 'private', publicKey: 'public' } as const;
  if (material instanceof KeyObject) {
    if (material.type !== wanted[name]) throw refusal(`${field}: ${name}`, `is a ${material.type} key`);
    return material;
  }
  if (name === 'secret') {
    if (typeof material === 'string') return createSecretKey(Buffer.from(material, 'utf8'));
    if (material instanceof Uint8Array) return createSecretKey(material);
    throw refusal(`${field}: secret`, 'must be a text, bytes or a KeyObject');
  }
  const jwk = typeof material === 'object' && material !== null ? (material as JsonWebKey) : undefined;
  if (jwk) checkUse(jwk, algorithm, `${field}: ${name}`);
  else if (typeof material !== 'string')
    throw refusal(`${field}: ${name}`, 'must be PEM, a JSON Web Key or a KeyObject');
  try {
    const make = name === 'privateKey' ? createPrivateKey : createPublicKey;
    const isPrivateText = typeof material === 'string' && /PRIVATE KEY-----/.test(material);
    if (name === 'publicKey' && (jwk?.d !== undefined || isPrivateText)) throw new TypeError();
    return make(jwk ? { key: jwk, format: 'jwk' } : (material as string));
  } catch {
    // What OpenSSL says of a key may hold a part of it.
    throw refusal(`${field}: ${name}`, `cannot be read as a ${wanted[name]} key in PEM or JWK`);
  }
}

/** A JSON Web Key says itself what it is for (RFC 7517 sections 4.2 to 4.4). */
function checkUse(jwk: JsonWebKey, algorithm: TokenAlgorithm, field: string): void {
  if (jwk.use !== undefined && jwk.use !== 'sig') throw refusal(field, `is for '${jwk.use}', not for signatures`);
  if (jwk.alg !== undefined && jwk.alg !== algorithm)
    throw refusal(field, isTokenAlgorithm(jwk.alg) ? `is for ${jwk.alg} only` : 'is for another algorithm');
}

function refusal(field: string, problem: string): ConfigurationError {
  return new ConfigurationError(`${field} ${problem}`, { field });
}
