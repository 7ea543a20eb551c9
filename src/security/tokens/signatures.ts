import { sign, verify } from 'node:crypto';
import type { Algorithm } from 'jsonwebtoken';
import { lazy } from '../../core/internal.js';
import { isHMAC, TextHMAC } from './text-hmac.js';
import { TokenError } from './token-error.js';
import type { TokenKey } from './token-key.js';

const loadJWT = lazy(() => import('jsonwebtoken'));

/** What signs and verifies compact JWS (RFC 7515 section 7.1). The key alone says by which algorithm. */
export interface Signatures {
  /**
   * @param payload the JSON text
   * @param typ the media type in the header, without `application/`
   */
  sign(payload: string, key: TokenKey, typ: string): string;
  /** @throws TokenError `forged` */
  verify(token: string, key: TokenKey, signature: Buffer): void;
}

/**
 * RSA and ECDSA by jsonwebtoken, given nothing but checked keys and one algorithm; HMAC, where jsonwebtoken itself
 * would be most of the cost, and Ed25519, which it has not, by node:crypto.
 */
export async function loadSignatures(): Promise<Signatures> {
  const { default: jwt } = await loadJWT();

  function isSigned(token: string, key: TokenKey, signature: Buffer): boolean {
    const { verifier, algorithm } = key;
    const end = token.lastIndexOf('.');
    const hmac = hmacOf(key);
    if (hmac) return hmac.verify(token.slice(0, end), signature);
    if (algorithm === 'EdDSA') return verify(null, Buffer.from(token.slice(0, end)), verifier, signature);
    try {
      const algorithms = [algorithm as Algorithm];
      jwt.verify(token, verifier, { algorithms, ignoreExpiration: true, ignoreNotBefore: true });
      return true;
    } catch {
      return false;
    }
  }

  return {
    sign(payload, key, typ) {
      const { signer, algorithm } = key;
      if (!signer) throw new TypeError(`key '${key.id}' does not sign`);
      const hmac = hmacOf(key);
      if (!hmac && algorithm !== 'EdDSA') {
        const header = { alg: algorithm as Algorithm, typ, kid: key.id };
        return jwt.sign(payload, signer, { algorithm: header.alg, header });
      }
      const input = `${headerOf(key, typ)}.${Buffer.from(payload).toString('base64url')}`;
      if (hmac) return `${input}.${hmac.sign(input)}`;
      return `${input}.${sign(null, Buffer.from(input), signer).toString('base64url')}`;
    },
    verify(token, key, signature) {
      if (!isSigned(token, key, signature)) throw new TokenError('forged', 'the signature is not from this key');
    },
  };
}

const hmacs: WeakMap<TokenKey, TextHMAC> = new WeakMap();

/** Undefined for a key that is no secret. */
function hmacOf(key: TokenKey): TextHMAC | undefined {
  const { algorithm, verifier } = key;
  if (!isHMAC(algorithm)) return undefined;
  let hmac = hmacs.get(key);
  if (!hmac) {
    hmac = new TextHMAC(algorithm, verifier.export());
    hmacs.set(key, hmac);
  }
  return hmac;
}

const headers: WeakMap<TokenKey, Map<string, string>> = new WeakMap();

/** The encoded header, which is the same for all tokens of a key and a purpose. */
function headerOf(key: TokenKey, typ: string): string {
  const known = headers.get(key) ?? new Map<string, string>();
  if (known.size === 0) headers.set(key, known);
  let header = known.get(typ);
  if (header === undefined) {
    const text = JSON.stringify({ alg: key.algorithm, typ, kid: key.id });
    header = Buffer.from(text).toString('base64url');
    known.set(typ, header);
  }
  return header;
}
