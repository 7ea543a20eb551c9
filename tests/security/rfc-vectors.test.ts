import { createHmac, randomBytes } from 'node:crypto';
import { TokenKey, type TokenKeyOptions, TokenService, type TokenServiceOptions } from '@safla/sdk/security';
import { ManualClock } from '@safla/sdk/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64url } from '../../src/security/tokens/base64url.js';
import { loadSignatures } from '../../src/security/tokens/signatures.js';
import { parseStrictObject } from '../../src/security/tokens/strict-json.js';
import { type HMACAlgorithm, TextHMAC } from '../../src/security/tokens/text-hmac.js';
import '../support/properties.js';
import { detached, type SignedExample, signedExamples, unsecured } from './support/rfc-examples.js';

const signatures = await loadSignatures();
const examples: readonly SignedExample[] = Object.values(signedExamples);
const { a1, a3, a4, cookbook4 } = signedExamples;

/** A service that has the key of an example; it takes tokens without `kid`, `typ`, `aud` and `jti` if `legacy`. */
function serviceOf(key: TokenKeyOptions, options: Partial<TokenServiceOptions> = {}): TokenService {
  const clock = new ManualClock(1_300_000_000_000);
  return new TokenService({ keys: [key], issuer: 'joe', audience: 'shop', legacy: true, clock, ...options });
}

describe('the examples of the standards', () => {
  it.each(examples)('$name verifies, and no changed one does', ({ key: options, token }) => {
    const key = new TokenKey(options);
    const signature = decodeBase64url(token.slice(token.lastIndexOf('.') + 1)) ?? Buffer.alloc(0);
    expect(signature.length).toBeGreaterThan(31);
    expect(() => signatures.verify(token, key, signature)).not.toThrow();
    expect(() => signatures.verify(token.replace('.', '.A'), key, signature)).toThrow('Invalid token');
    for (let at = 0; at < signature.length; at += 7) {
      const changed = Buffer.from(signature);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const text = `${token.slice(0, token.lastIndexOf('.'))}.${changed.toString('base64url')}`;
      expect(() => signatures.verify(text, key, changed)).toThrow('Invalid token');
    }
  });

  it.each([a1, a3])('$name is accepted as a whole by a service that asks no more of it', async ({ key, token }) => {
    const { payload, claims } = await serviceOf(key).verify(token);
    expect(payload).toEqual({ 'http://example.com/is_root': true });
    expect(claims).toMatchObject({ issuer: 'joe', expiresAtMs: 1_300_819_380_000 });
  });

  it.each<[string, string, TokenKeyOptions, string, Partial<TokenServiceOptions>]>([
    ['RFC 7515 A.1 by the rules of new tokens', a1.token, a1.key, 'unknown-key', { legacy: false, accessType: 'JWT' }],
    ['RFC 7515 A.3, which says no typ', a3.token, a3.key, 'claims', { legacy: false }],
    ['RFC 7515 A.1 today', a1.token, a1.key, 'expired', { clock: new ManualClock(1_800_000_000_000) }],
    ['RFC 7515 A.1 for another issuer', a1.token, a1.key, 'claims', { issuer: 'jim' }],
    ['RFC 7515 A.1 under the key of A.3', a1.token, a3.key, 'forged', {}],
    ['RFC 7515 A.4, whose payload is no JSON', a4.token, a4.key, 'malformed', {}],
    ['RFC 7520 4.4, whose payload is no JSON', cookbook4.token, cookbook4.key, 'malformed', {}],
    ['RFC 7520 4.5, without its payload', detached, cookbook4.key, 'forged', {}],
    ['RFC 7519 6.1, without a signature', unsecured, a1.key, 'malformed', {}],
  ])('%s is refused', async (_name, token, key, kind, options) => {
    await expect(serviceOf(key, options).verify(token)).rejects.toMatchObject({ code: 'TOKEN_REJECTED', kind });
  });

  it.each([a1, cookbook4])('$name signs to the same bytes', ({ key, token }) => {
    const end = token.lastIndexOf('.');
    const hmac = new TextHMAC(key.algorithm, key.secret);
    expect(hmac.sign(token.slice(0, end))).toBe(token.slice(end + 1));
  });

  it('RFC 2104: HMAC as node:crypto has it, for keys and texts of any length', () => {
    const hashes = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const;
    const algorithms = Object.keys(hashes) as HMACAlgorithm[];
    fc.assert(
      fc.property(fc.constantFrom(...algorithms), fc.nat(300), fc.nat(9_000), (algorithm, keyBytes, length) => {
        const key = randomBytes(keyBytes);
        const text = randomBytes(length).toString('base64url').slice(0, length);
        const hmac = new TextHMAC(algorithm, key);
        const expected = createHmac(hashes[algorithm], key).update(text).digest();
        expect(hmac.sign(text)).toBe(expected.toString('base64url'));
        expect(hmac.verify(text, expected)).toBe(true);
        expect(hmac.verify(`${text}A`, expected)).toBe(false);
        expect(hmac.verify(text, expected.subarray(1))).toBe(false);
      }),
    );
  });

  it('RFC 4648 section 10: base64url in one spelling', () => {
    const texts = { f: 'Zg', fo: 'Zm8', foo: 'Zm9v', foob: 'Zm9vYg', fooba: 'Zm9vYmE', foobar: 'Zm9vYmFy' };
    for (const [text, encoded] of Object.entries(texts)) expect(decodeBase64url(encoded)?.toString()).toBe(text);
    for (const wrong of ['', 'Z', 'Zg==', 'Zh', 'Zm9', 'Zm+v', 'Zm/v', 'Zm9v\n', ' Zm9v', 'Zm9vY'])
      expect(decodeBase64url(wrong)).toBeUndefined();
  });

  it('RFC 8259 section 4: whatever an object holds, it is read as JSON.parse does, and not with a member twice', () => {
    const members = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ noUnicodeString: false }), {
      minKeys: 1,
    });
    fc.assert(
      fc.property(members, fc.nat(), (object, at) => {
        const text = JSON.stringify(object);
        expect(parseStrictObject(Buffer.from(text))).toEqual(JSON.parse(text));
        const names = Object.keys(object);
        const twice = `{"outer":[${text.slice(0, -1)},${JSON.stringify(names[at % names.length])}:"again"}]}`;
        expect(parseStrictObject(Buffer.from(twice))).toBeUndefined();
      }),
    );
  });

  it('RFC 8259 section 4: an object says a member once', () => {
    for (const good of [
      '{}',
      ' { "a" : [ { "b" : 1 } , { "b" : 1 } ] } ',
      '{"1":0,"0":"{\\"a\\":1,\\"a\\":2}"}',
      '{"a":"a","b":"a"}',
    ])
      expect(parseStrictObject(Buffer.from(good))).toEqual(JSON.parse(good));
    for (const bad of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '{"x":[{"a":1 , "b":2, "a" :3}]}',
      '[]',
      '1',
      '{',
      '{"a":1}}',
    ])
      expect(parseStrictObject(Buffer.from(bad))).toBeUndefined();
  });
});
