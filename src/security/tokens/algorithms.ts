import type { KeyObject } from 'node:crypto';

const requirements = {
  HS256: { type: 'secret', leastBytes: 32 },
  HS384: { type: 'secret', leastBytes: 48 },
  HS512: { type: 'secret', leastBytes: 64 },
  RS256: { type: 'rsa' },
  RS384: { type: 'rsa' },
  RS512: { type: 'rsa' },
  PS256: { type: 'rsa' },
  PS384: { type: 'rsa' },
  PS512: { type: 'rsa' },
  ES256: { type: 'ec', curve: 'prime256v1' },
  ES384: { type: 'ec', curve: 'secp384r1' },
  ES512: { type: 'ec', curve: 'secp521r1' },
  EdDSA: { type: 'ed25519' },
} as const satisfies Record<TokenAlgorithm, object>;

/** A signature algorithm of RFC 7518 section 3.1 or RFC 8037 (Ed25519). `none` is not among them. */
export type TokenAlgorithm = `${'HS' | 'RS' | 'PS' | 'ES'}${256 | 384 | 512}` | 'EdDSA';

/** All of {@link TokenAlgorithm}. */
export const tokenAlgorithms: readonly TokenAlgorithm[] = Object.keys(requirements) as TokenAlgorithm[];

/** True for a member of {@link TokenAlgorithm}. */
export function isTokenAlgorithm(value: unknown): value is TokenAlgorithm {
  return typeof value === 'string' && Object.hasOwn(requirements, value);
}

/**
 * What keeps a key from being used with an algorithm, as it reads after the name of the key; undefined when
 * it fits. Sizes are those of RFC 7518 sections 3.2 to 3.5.
 */
export function keyFault(algorithm: TokenAlgorithm, key: KeyObject): string | undefined {
  const wanted = requirements[algorithm];
  if (wanted.type === 'secret') {
    if (key.type !== 'secret') return `must be a secret: ${algorithm} is symmetric`;
    return secretFault(algorithm, key.export(), wanted.leastBytes);
  }
  if (key.type === 'secret') return `must be a private or a public key: ${algorithm} is asymmetric`;
  const type = key.asymmetricKeyType;
  if (type !== wanted.type) return `must be of type ${wanted.type} for ${algorithm}, not ${type}`;
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (wanted.type === 'rsa' && (modulusLength ?? 0) < 2048) return 'must have 2048 bits or more';
  if (wanted.type === 'ec' && namedCurve !== wanted.curve) return `must be on ${wanted.curve} for ${algorithm}`;
  return undefined;
}

function secretFault(algorithm: TokenAlgorithm, secret: Buffer, leastBytes: number): string | undefined {
  if (secret.byteLength < leastBytes)
    return `must have ${leastBytes} bytes or more for ${algorithm}, by chance: randomBytes(${leastBytes}).toString('base64url')`;
  if (new Set(secret).size < 8) return 'repeats a few bytes; take one made by chance';
  // Whoever may read a public key could sign with it.
  const text = secret.toString('latin1').trimStart();
  if (text.startsWith('-----BEGIN') || /^\{[\s\S]{0,200}"kty"/.test(text))
    return `is a key file, not a secret: ${algorithm} is symmetric`;
  return undefined;
}
