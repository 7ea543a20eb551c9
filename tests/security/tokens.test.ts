import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError, UnsupportedError, ValidationError } from '@safla/sdk/core';
import {
  KeyRing,
  MemoryTokenStore,
  type TokenAlgorithm,
  TokenError,
  type TokenFault,
  type TokenKeyOptions,
  TokenService,
  type TokenServiceOptions,
  tokenAlgorithms,
} from '@safla/sdk/security';
import { ManualClock } from '@safla/sdk/testing';
import fc from 'fast-check';
import { jwtVerify, SignJWT } from 'jose';
import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import '../support/properties.js';

const secret = randomBytes(64).toString('base64url');
const hs: TokenKeyOptions = { id: 'a', algorithm: 'HS256', secret };
const serviceOf = (options: Partial<TokenServiceOptions> = {}) =>
  new TokenService({ keys: [hs], issuer: 'shop', audience: 'shop', ...options });

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;
const pairs: Record<string, { publicKey: KeyObject; privateKey: KeyObject }> = {
  EdDSA: generateKeyPairSync('ed25519'),
  ...Object.fromEntries(
    Object.entries(curves).map(([name, namedCurve]) => [name, generateKeyPairSync('ec', { namedCurve })]),
  ),
};
const pairOf = (algorithm: TokenAlgorithm) => pairs[algorithm] ?? rsa;
const keyOf = (algorithm: TokenAlgorithm): TokenKeyOptions =>
  algorithm.startsWith('HS')
    ? { id: 'a', algorithm, secret }
    : { id: 'a', algorithm, privateKey: pairOf(algorithm).privateKey };

const b64 = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const claims = () => ({
  sub: 'mallory',
  iss: 'shop',
  aud: 'shop',
  exp: Math.floor(Date.now() / 1000) + 600,
  jti: 'x',
});
/** Signs any header and payload text with HMAC, as an attacker or another library would. */
function forge(header: unknown, payload: unknown, key: string | Buffer = secret, hash = 'sha256'): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`;
}
const header = { alg: 'HS256', typ: 'at+jwt', kid: 'a' };

async function fault(service: TokenService, token: unknown): Promise<TokenFault | 'accepted'> {
  try {
    await service.verify(token as string);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    expect(error.message).toBe('Invalid token');
    return error.kind;
  }
}

describe('TokenService', () => {
  it.each(tokenAlgorithms)('signs and verifies with %s, and jose agrees', async (algorithm) => {
    const service = serviceOf({ keys: [keyOf(algorithm)] });
    const { accessToken, id } = await service.issue({ sub: 'alice', role: 'editor', name: 'Zoë 😀' });
    const verified = await service.verify(accessToken);
    expect(verified.payload).toEqual({ sub: 'alice', role: 'editor', name: 'Zoë 😀' });
    expect(verified.claims).toMatchObject({ issuer: 'shop', audience: ['shop'], id });
    expect(verified.keyId).toBe('a');
    const key = algorithm.startsWith('HS') ? Buffer.from(secret) : pairOf(algorithm).publicKey;
    const theirs = await jwtVerify(accessToken, key, { issuer: 'shop', audience: 'shop', algorithms: [algorithm] });
    expect(theirs.payload).toMatchObject({ sub: 'alice', jti: id });
    expect(theirs.protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid: 'a' });
    const signer = algorithm.startsWith('HS') ? Buffer.from(secret) : pairOf(algorithm).privateKey;
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: 'a' })
      .sign(signer);
    expect(await fault(service, token)).toBe('accepted');
    const flipped = token.replace(/\.[^.]+$/, (part) => part.replace(/[A-Za-z0-9]/, (c) => (c === 'A' ? 'B' : 'A')));
    expect(await fault(service, flipped)).toBe('forged');
  });

  it('accepts no forgery by key confusion, in any encoding of the public key and any algorithm', async () => {
    let tried = 0;
    for (const [name, pair] of Object.entries({ RS256: rsa, ...pairs })) {
      const service = serviceOf({
        keys: [{ id: 'a', algorithm: name as TokenAlgorithm, publicKey: pair.publicKey }],
      });
      const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string;
      const der = pair.publicKey.export({ type: 'spki', format: 'der' });
      const encodings = [
        pem,
        pem.trim(),
        pem.replaceAll('\n', ''),
        pem.replaceAll('\n', '\\n'),
        der,
        der.toString('base64'),
        JSON.stringify(pair.publicKey.export({ format: 'jwk' })),
      ];
      for (const encoding of encodings)
        for (const alg of ['none', 'None', '', 'HS256', 'hs256', 'HS384', 'HS512', ...tokenAlgorithms]) {
          for (const hash of ['sha256', 'sha384', 'sha512']) {
            tried += 1;
            expect(await fault(service, forge({ ...header, alg }, claims(), encoding, hash))).not.toBe('accepted');
          }
        }
      const unsigned = `${b64({ ...header, alg: 'none' })}.${b64(claims())}.`;
      expect(await fault(service, unsigned)).toBe('malformed');
    }
    expect(tried).toBe(5 * 7 * 20 * 3);
  });

  it('refuses a good signature by any algorithm but that of its key', async () => {
    const service = serviceOf();
    for (const [alg, hash] of [
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
      ['none', 'sha256'],
      ['RS256', 'sha256'],
    ] as const)
      expect(await fault(service, forge({ ...header, alg }, claims(), secret, hash))).toBe('forged');
    const ps = serviceOf({ keys: [{ id: 'a', algorithm: 'PS256', publicKey: rsa.publicKey }] });
    const rs = jwt.sign(claims(), rsa.privateKey, { algorithm: 'RS256', header: { ...header, alg: 'RS256' } });
    expect(await fault(ps, rs)).toBe('forged');
  });

  it.each<[string, TokenFault, () => unknown]>([
    ['no text', 'malformed', () => undefined],
    ['an object', 'malformed', () => ({ toString: () => forge(header, claims()) })],
    ['nothing', 'malformed', () => ''],
    ['two parts', 'malformed', () => 'a.b'],
    ['four parts', 'malformed', () => `${forge(header, claims())}.x`],
    ['a megabyte', 'malformed', () => `${b64(header)}.${'A'.repeat(1_000_000)}.AAAA`],
    ['padding', 'malformed', () => `${forge(header, claims())}=`],
    ['a space', 'malformed', () => ` ${forge(header, claims())}`],
    ['a line break at the end', 'malformed', () => `${forge(header, claims())}\n`],
    // Its lowest byte is that of the character it stands for, which is all that a MAC over single bytes sees.
    ['a character beyond ASCII', 'malformed', () => forge(header, claims()).replace('.e', '.\u0165')],
    ['crit', 'malformed', () => forge({ ...header, crit: ['exp'] }, claims())],
    ['b64', 'malformed', () => forge({ ...header, b64: false }, claims())],
    ['a kid that is no text', 'malformed', () => forge({ ...header, kid: 1 }, claims())],
    ['alg twice', 'malformed', () => forge('{"alg":"none","alg":"HS256","typ":"at+jwt","kid":"a"}', claims())],
    ['a claim twice', 'malformed', () => forge(header, JSON.stringify(claims()).replace('{', '{"sub":"alice",'))],
    [
      'a claim twice, spelled with an escape',
      'malformed',
      () => forge(header, JSON.stringify(claims()).replace('{', '{"s\\u0075b":"alice",')),
    ],
    [
      'a member twice, deep inside',
      'malformed',
      () => forge(header, JSON.stringify({ ...claims(), a: 0 }).replace('"a":0', '"a":[{"b":1,"b":2}]')),
    ],
    ['a payload that is no object', 'malformed', () => forge(header, '"text"')],
    ['a payload that is an array', 'malformed', () => forge(header, '[]')],
    [
      'a payload that is not UTF-8',
      'malformed',
      () => {
        const input = `${b64(header)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}`;
        return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      },
    ],
    ['no kid', 'unknown-key', () => forge({ alg: 'HS256', typ: 'at+jwt' }, claims())],
    ['an unknown kid', 'unknown-key', () => forge({ ...header, kid: 'b' }, claims())],
    ['a kid of the prototype', 'unknown-key', () => forge({ ...header, kid: '__proto__' }, claims())],
    [
      'a key in its header',
      'forged',
      () => forge({ ...header, jwk: { kty: 'oct', k: b64('k'.repeat(32)) } }, claims(), 'k'.repeat(32)),
    ],
    ['another key', 'forged', () => forge(header, claims(), randomBytes(32))],
    ['no signature', 'malformed', () => `${b64(header)}.${b64(claims())}.`],
    ['a cut signature', 'forged', () => forge(header, claims()).slice(0, -3)],
    ['no typ', 'claims', () => forge({ alg: 'HS256', kid: 'a' }, claims())],
    ['the typ of a refresh token', 'claims', () => forge({ ...header, typ: 'rt+jwt' }, claims())],
    ['no exp', 'claims', () => forge(header, { ...claims(), exp: undefined })],
    ['no jti', 'claims', () => forge(header, { ...claims(), jti: undefined })],
    ['an empty jti', 'claims', () => forge(header, { ...claims(), jti: '' })],
    ['no iss', 'claims', () => forge(header, { ...claims(), iss: undefined })],
    ['another iss', 'claims', () => forge(header, { ...claims(), iss: 'shop2' })],
    ['no aud', 'claims', () => forge(header, { ...claims(), aud: undefined })],
    ['another aud', 'claims', () => forge(header, { ...claims(), aud: ['bank'] })],
    ['an aud of no texts', 'claims', () => forge(header, { ...claims(), aud: [{}] })],
    ['exp as a text', 'claims', () => forge(header, { ...claims(), exp: '9999999999' })],
    [
      'exp beyond all dates',
      'claims',
      () => forge(header, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e300')),
    ],
    ['exp in the past', 'expired', () => forge(header, { ...claims(), exp: 1 })],
    ['nbf in the future', 'early', () => forge(header, { ...claims(), nbf: claims().exp })],
  ])('refuses a token with %s as %s', async (_name, kind, make) => {
    expect(await fault(serviceOf(), make())).toBe(kind);
  });

  it.each(['HS256', 'RS256', 'ES256', 'EdDSA'] as const)('accepts one spelling of a token by %s alone', async (by) => {
    const service = serviceOf({ keys: [keyOf(by)] });
    const { accessToken } = await service.issue({ sub: 'alice' });
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ';
    const accepted = [...alphabet].filter((c) => accessToken.slice(0, -1) + c !== accessToken);
    for (const last of accepted) expect(await fault(service, accessToken.slice(0, -1) + last)).not.toBe('accepted');
    await fc.assert(
      fc.asyncProperty(fc.nat(accessToken.length - 1), fc.constantFrom(...alphabet), async (at, character) => {
        fc.pre(accessToken[at] !== character);
        expect(await fault(service, accessToken.slice(0, at) + character + accessToken.slice(at + 1))).not.toBe(
          'accepted',
        );
      }),
    );
  });

  it('takes any text for a token without failing otherwise', async () => {
    const service = serviceOf();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.array(fc.base64String(), { minLength: 3, maxLength: 3 }).map((p) => p.join('.')),
        ),
        async (text) => {
          expect(await fault(service, text)).not.toBe('accepted');
        },
      ),
    );
  });

  it('gives back every payload that JSON carries', async () => {
    const service = serviceOf();
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          fc.string().map((s) => `x${s}`),
          fc.jsonValue(),
          { maxKeys: 5 },
        ),
        async (payload) => {
          const { accessToken } = await service.issue(payload);
          expect((await service.verify(accessToken)).payload).toEqual(JSON.parse(JSON.stringify(payload)));
        },
      ),
    );
  });

  it('accepts a token until the moment of its exp, and not at it', async () => {
    const clock = new ManualClock();
    const service = serviceOf({ clock });
    const { accessToken, expiresAtMs } = await service.issue({});
    await clock.advance(expiresAtMs - clock.now() - 1);
    expect(await fault(service, accessToken)).toBe('accepted');
    await clock.advance(1);
    expect(await fault(service, accessToken)).toBe('expired');
  });

  it('holds exp and nbf against its clock, as much kinder as it is told', async () => {
    const clock = new ManualClock();
    const { accessToken } = await serviceOf({ clock, accessTtlMs: 60_000 }).issue({});
    const strict = serviceOf({ clock });
    const kind = serviceOf({ clock, clockToleranceMs: 5_000 });
    await clock.advance(59_000);
    expect(await fault(strict, accessToken)).toBe('accepted');
    await clock.advance(2_000);
    expect(await fault(strict, accessToken)).toBe('expired');
    expect(await fault(kind, accessToken)).toBe('accepted');
    await clock.advance(6_000);
    expect(await fault(kind, accessToken)).toBe('expired');
  });

  it('types payloads by a schema, and refuses what does not fit on both ways', async () => {
    const schema = z.object({ sub: z.string(), role: z.enum(['editor', 'reader']) });
    const service = new TokenService({ keys: [hs], issuer: 'shop', audience: 'shop', schema });
    const { accessToken } = await service.issue({ sub: 'alice', role: 'editor' });
    expect((await service.verify(accessToken)).payload.role).toBe('editor');
    const wrong = { sub: 'alice', role: 'root' } as never;
    await expect(service.issue(wrong)).rejects.toBeInstanceOf(ValidationError);
    await expect(service.verify(forge(header, { ...claims(), role: 'root' }))).rejects.toMatchObject({
      kind: 'payload',
    });
  });

  it.each([
    [{ exp: 1 }],
    [{ iss: 'x' }],
    [{ jti: 'x' }],
    [{ fam: 'x' }],
    [{ sub: 1 }],
    ['text'],
    [null],
    [[]],
    [{ n: 1n }],
    [{ f: Number.NaN }],
    [new Date()],
    [{ toJSON: () => 'x' }],
  ])('refuses to issue %o', async (payload) => {
    await expect(serviceOf().issue(payload as never)).rejects.toBeInstanceOf(ValidationError);
  });

  it('refuses to issue a token that it would not accept for its length', async () => {
    await expect(serviceOf().issue({ text: 'x'.repeat(8_000) })).rejects.toThrow(/maxTokenBytes/);
  });

  it('accepts tokens of older code only when told, and then still checks what is there', async () => {
    const old = jwt.sign({ sub: 'alice' }, secret, { expiresIn: '1h' });
    expect(await fault(serviceOf(), old)).toBe('claims');
    const legacy = serviceOf({ legacy: true });
    expect((await legacy.verify(old)).payload).toEqual({ sub: 'alice' });
    expect(await fault(legacy, jwt.sign({ iss: 'bank' }, secret))).toBe('claims');
    expect(await fault(legacy, jwt.sign({}, 'another secret'))).toBe('forged');
    expect(await fault(legacy, jwt.sign({}, secret, { algorithm: 'HS512' }))).toBe('forged');
    expect(await fault(legacy, jwt.sign({}, '', { algorithm: 'none' }))).toBe('malformed');
    const { refreshToken } = await legacy.issue({}, { refresh: true });
    expect(await fault(legacy, refreshToken)).toBe('claims');
  });

  it('shows no secret and nothing of a token in what it throws or prints', async () => {
    const service = serviceOf();
    const { accessToken } = await service.issue({ sub: 'alice', card: '4242-canary' });
    const error = await service.verify(`${accessToken}x`).catch((e: unknown) => e);
    const texts = [inspect(service, { depth: 9 }), inspect(error), JSON.stringify(error), (error as Error).stack];
    for (const text of texts) for (const part of [secret, ...accessToken.split('.')]) expect(text).not.toContain(part);
  });
});

describe('refresh tokens', () => {
  it('give new tokens once, with the same payload or a new one', async () => {
    const service = serviceOf();
    const first = await service.issue({ sub: 'alice', role: 'reader' }, { refresh: true });
    const second = await service.refresh(first.refreshToken ?? '');
    expect((await service.verify(second.accessToken)).payload).toEqual({ sub: 'alice', role: 'reader' });
    const third = await service.refresh(second.refreshToken ?? '', {
      payload: async (payload) => ({ ...payload, role: 'editor' }),
    });
    expect((await service.verify(third.accessToken)).payload).toEqual({ sub: 'alice', role: 'editor' });
    expect(await fault(service, third.refreshToken)).toBe('claims');
    await expect(service.refresh(third.accessToken)).rejects.toMatchObject({ kind: 'claims' });
  });

  it('end all tokens of their login when one comes twice, and of no other', async () => {
    const service = serviceOf();
    const login = await service.issue({ sub: 'alice' }, { refresh: true });
    const other = await service.issue({ sub: 'alice' }, { refresh: true });
    const next = await service.refresh(login.refreshToken ?? '');
    await expect(service.refresh(login.refreshToken ?? '')).rejects.toMatchObject({ kind: 'reused' });
    await expect(service.refresh(next.refreshToken ?? '')).rejects.toMatchObject({ kind: 'revoked' });
    expect(await fault(service, login.accessToken)).toBe('revoked');
    expect(await fault(service, next.accessToken)).toBe('revoked');
    expect(await fault(service, other.accessToken)).toBe('accepted');
    await service.refresh(other.refreshToken ?? '');
  });

  it('let one of many at the same time through, and end the family', async () => {
    const service = serviceOf();
    const { refreshToken = '' } = await service.issue({}, { refresh: true });
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => service.refresh(refreshToken)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('cannot be renewed beyond the end of their family', async () => {
    const clock = new ManualClock();
    const service = serviceOf({ clock, refreshTtlMs: 60_000, familyTtlMs: 100_000 });
    let { refreshToken = '', refreshExpiresAtMs = 0 } = await service.issue({}, { refresh: true });
    await clock.advance(50_000);
    ({ refreshToken = '', refreshExpiresAtMs = 0 } = await service.refresh(refreshToken));
    expect(refreshExpiresAtMs - clock.now()).toBeLessThanOrEqual(51_000);
    await clock.advance(52_000);
    await expect(service.refresh(refreshToken)).rejects.toMatchObject({ kind: 'expired' });
  });

  it('are refused when their family is not known', async () => {
    const { refreshToken = '' } = await serviceOf().issue({}, { refresh: true });
    await expect(serviceOf().refresh(refreshToken)).rejects.toMatchObject({ kind: 'revoked' });
  });
});

describe('revocation', () => {
  it('ends one token by its jti, whatever its spelling', async () => {
    const service = serviceOf();
    const [one, two] = [await service.issue({}), await service.issue({})];
    await service.revoke(one.accessToken);
    await service.revoke(one.accessToken);
    expect(await fault(service, one.accessToken)).toBe('revoked');
    expect(await fault(service, two.accessToken)).toBe('accepted');
    await service.verify(one.accessToken, { checkRevoked: false });
    await service.revokeId(two.id, two.expiresAtMs);
    expect(await fault(service, two.accessToken)).toBe('revoked');
  });

  it('ends a login by any of its tokens', async () => {
    const service = serviceOf();
    const { accessToken, refreshToken = '' } = await service.issue({}, { refresh: true });
    await service.revoke(refreshToken);
    expect(await fault(service, accessToken)).toBe('revoked');
    await expect(service.refresh(refreshToken)).rejects.toMatchObject({ kind: 'revoked' });
  });

  it('takes no token that is not ours', async () => {
    await expect(serviceOf().revoke(forge(header, claims(), 'k'.repeat(32)))).rejects.toMatchObject({ kind: 'forged' });
  });

  it('forgets in memory what is over, and refuses what does not fit instead of dropping it', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ maxEntries: 3, clock });
    for (const id of ['a', 'b', 'c']) store.revoke(id, clock.now() + 1_000);
    expect(() => store.revoke('d', clock.now() + 1_000)).toThrow(/maxEntries/);
    expect(store.isRevoked(['a'])).toBe(true);
    await clock.advance(1_001);
    expect(store.isRevoked(['a'])).toBe(false);
    store.revoke('d', clock.now() + 1_000);
    expect(store.isRevoked(['x', 'd'])).toBe(true);
  });
});

describe('KeyRing', () => {
  const other = { id: 'b', algorithm: 'EdDSA', privateKey: pairOf('EdDSA').privateKey, state: 'pending' } as const;

  it('leads a key through its life without refusing a token too early', async () => {
    const keys = new KeyRing([hs]);
    const service = serviceOf({ keys });
    const old = (await service.issue({})).accessToken;
    keys.add(other);
    const early = (await serviceOf({ keys: [{ ...other, state: 'primary' }] }).issue({})).accessToken;
    expect(await fault(service, early)).toBe('accepted');
    keys.promote('b');
    expect(keys.states()).toEqual({ a: 'active', b: 'primary' });
    const young = (await service.issue({})).accessToken;
    expect((await service.verify(young)).keyId).toBe('b');
    expect(await fault(service, old)).toBe('accepted');
    keys.retire('a');
    expect(await fault(service, old)).toBe('unknown-key');
    expect(await fault(service, young)).toBe('accepted');
  });

  it('goes one way only', () => {
    const keys = new KeyRing([hs, other]);
    expect(() => keys.retire('a')).toThrow(/primary, not active/);
    expect(() => keys.promote('a')).toThrow(/primary, not pending/);
    expect(() => keys.promote('x')).toThrow(/not there/);
    expect(() => keys.add({ ...hs, state: 'pending' })).toThrow(/twice/);
    expect(() => keys.add({ ...hs, id: 'c' })).toThrow(/cannot be primary too/);
  });

  it('publishes public keys alone', () => {
    const keys = new KeyRing([hs, other, { id: 'r', algorithm: 'RS256', privateKey: rsa.privateKey, state: 'active' }]);
    const set = keys.jwks().keys;
    expect(set.map(({ kid, alg, use }) => [kid, alg, use])).toEqual([
      ['b', 'EdDSA', 'sig'],
      ['r', 'RS256', 'sig'],
    ]);
    for (const key of set) for (const name of ['d', 'p', 'q', 'k']) expect(key).not.toHaveProperty(name);
  });

  const pem = (key: KeyObject, type: 'spki' | 'pkcs8') =>
    key.export({ type, format: 'pem' } as never) as unknown as string;
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });

  it.each<[string, unknown]>([
    ['no keys', []],
    ['an empty secret', [{ ...hs, secret: '' }]],
    ['a secret of one character', [{ ...hs, secret: 'x' }]],
    ['31 bytes', [{ ...hs, secret: secret.slice(0, 31) }]],
    ['47 bytes for HS384', [{ ...hs, algorithm: 'HS384', secret: secret.slice(0, 47) }]],
    ['one byte repeated', [{ ...hs, secret: 'a'.repeat(64) }]],
    ['a secret that is undefined', [{ ...hs, secret: undefined }]],
    ['a public key as a secret', [{ ...hs, secret: pem(rsa.publicKey, 'spki') }]],
    ['a JSON Web Key as a secret', [{ ...hs, secret: JSON.stringify(rsa.publicKey.export({ format: 'jwk' })) }]],
    ['a public KeyObject as a secret', [{ ...hs, secret: rsa.publicKey }]],
    ['RSA of 1024 bits', [{ id: 'a', algorithm: 'RS256', privateKey: weak.privateKey }]],
    ['a key of another curve', [{ id: 'a', algorithm: 'ES384', privateKey: pairOf('ES256').privateKey }]],
    ['an RSA key for EdDSA', [{ id: 'a', algorithm: 'EdDSA', privateKey: rsa.privateKey }]],
    ['a private key as the public one', [{ id: 'a', algorithm: 'RS256', publicKey: pem(rsa.privateKey, 'pkcs8') }]],
    ['a text that is no key', [{ id: 'a', algorithm: 'RS256', privateKey: 'canary-not-a-key' }]],
    ['two kinds of material', [{ ...hs, publicKey: rsa.publicKey }]],
    ['none', [{ ...hs, algorithm: 'none' }]],
    [
      'a JSON Web Key for encryption',
      [{ id: 'a', algorithm: 'RS256', publicKey: { ...rsa.publicKey.export({ format: 'jwk' }), use: 'enc' } }],
    ],
    [
      'a JSON Web Key for another algorithm',
      [{ id: 'a', algorithm: 'RS256', publicKey: { ...rsa.publicKey.export({ format: 'jwk' }), alg: 'PS256' } }],
    ],
    ['a public key as primary', [{ id: 'a', algorithm: 'RS256', publicKey: rsa.publicKey, state: 'primary' }]],
    ['the same id twice', [hs, { ...hs, state: 'active' }]],
    ['an empty id', [{ ...hs, id: ' ' }]],
  ])('refuses %s', (_name, keys) => {
    try {
      new KeyRing(keys as TokenKeyOptions[]);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(inspect(error)).not.toContain('canary');
    }
  });

  it('reads keys as PEM and as JSON Web Keys', async () => {
    const { publicKey, privateKey } = pairOf('ES256');
    const made = [pem(privateKey, 'pkcs8'), privateKey.export({ format: 'jwk' })];
    for (const key of made) {
      const { accessToken } = await serviceOf({ keys: [{ id: 'a', algorithm: 'ES256', privateKey: key }] }).issue({});
      const reader = serviceOf({
        keys: [
          {
            id: 'a',
            algorithm: 'ES256',
            publicKey: createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })),
          },
        ],
      });
      expect(await fault(reader, accessToken)).toBe('accepted');
      await expect(reader.issue({})).rejects.toBeInstanceOf(UnsupportedError);
    }
  });
});
