import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import { ConfigurationError, ConnectionError, ProtocolError, UnsupportedError } from '@safla/sdk/core';
import { KeyRing, RemoteKeySet, type RemoteKeySetOptions, TokenService } from '@safla/sdk/security';
import { ManualClock } from '@safla/sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';

const pair = (): { privateKey: ReturnType<typeof generateKeyPairSync>['privateKey'] } =>
  generateKeyPairSync('ed25519') as never;
const ring = new KeyRing([{ id: 'one', algorithm: 'EdDSA', privateKey: pair().privateKey }]);
const issuer = new TokenService({ keys: ring, issuer: 'login', audience: 'shop' });

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A real issuer: counts what it is asked. */
async function serve(answer: RequestListener) {
  let asked = 0;
  server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `${origin}/jwks.json`, origin, asked: () => asked };
}
const json =
  (value: () => unknown): RequestListener =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(value()));
  };
const verifierOf = (options: RemoteKeySetOptions) =>
  new TokenService({ keys: new RemoteKeySet(options), issuer: 'login', audience: 'shop' });

describe('RemoteKeySet', () => {
  it('verifies tokens of another issuer, asking it once for all of them', async () => {
    const { url, asked } = await serve(json(() => ring.jwks()));
    const verifier = verifierOf({ url });
    const { accessToken } = await issuer.issue({ sub: 'alice' });
    const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(accessToken)));
    expect(all[0]?.payload).toEqual({ sub: 'alice' });
    expect(asked()).toBe(1);
    await expect(verifier.issue({})).rejects.toBeInstanceOf(UnsupportedError);
    expect(() => verifier.jwks()).toThrow(UnsupportedError);
  });

  it('asks again for an unknown id, but no more often than the cooldown allows', async () => {
    const { url, asked } = await serve(json(() => ring.jwks()));
    const clock = new ManualClock();
    const keys = new RemoteKeySet({ url, clock });
    for (let i = 0; i < 50; i++) expect(await keys.find(`unknown-${i}`)).toBeUndefined();
    expect(asked()).toBe(1);
    await clock.advance(30_001);
    await keys.find('unknown');
    await keys.find('unknown');
    expect(asked()).toBe(2);
  });

  it('learns a new key, and serves old keys for a while when the issuer is away', async () => {
    let up = true;
    const { url } = await serve((request, response) => {
      if (up) return json(() => ring.jwks())(request, response);
      response.statusCode = 503;
      response.end();
    });
    const clock = new ManualClock();
    const keys = new RemoteKeySet({ url, clock });
    expect(await keys.find('two')).toBeUndefined();
    ring.add({ id: 'two', algorithm: 'EdDSA', privateKey: pair().privateKey, state: 'pending' });
    await clock.advance(30_001);
    expect((await keys.find('two'))?.id).toBe('two');
    up = false;
    await clock.advance(600_001);
    expect((await keys.find('two'))?.id).toBe('two');
    await clock.advance(3_600_000);
    await expect(keys.find('two')).rejects.toBeInstanceOf(ProtocolError);
    up = true;
    await clock.advance(30_001);
    expect((await keys.find('two'))?.id).toBe('two');
  });

  it('can be fetched by an APIIntegration', async () => {
    const { origin, asked } = await serve(json(() => ring.jwks()));
    await using api = new APIIntegration({ baseURL: origin });
    const keys = new RemoteKeySet({ url: '/jwks.json', source: api });
    expect((await keys.find('one'))?.algorithm).toBe('EdDSA');
    expect(asked()).toBe(1);
  });

  it('leaves out keys that are private, secret, weak, foreign, twice, or for something else', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const jwk = rsa.publicKey.export({ format: 'jwk' });
    const list = [
      { ...jwk, kid: 'good' },
      { ...jwk, kid: 'pss', alg: 'PS256' },
      { ...jwk, kid: 'enc', use: 'enc' },
      { ...jwk, kid: 'foreign', alg: 'RS512' },
      { ...jwk, kid: 'hmac', alg: 'HS256' },
      { ...jwk, kid: 'none', alg: 'none' },
      { ...jwk, kid: 'twice' },
      { ...jwk, kid: 'twice', alg: 'PS256' },
      { ...jwk },
      { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private' },
      { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak' },
      { kty: 'oct', k: 'AAAA', kid: 'secret' },
      null,
      'text',
    ];
    const { url } = await serve(json(() => ({ keys: list })));
    const keys = new RemoteKeySet({ url });
    expect((await keys.find('good'))?.algorithm).toBe('RS256');
    expect((await keys.find('pss'))?.algorithm).toBe('PS256');
    for (const id of ['enc', 'foreign', 'hmac', 'none', 'twice', 'private', 'weak', 'secret', 'undefined'])
      expect(await keys.find(id)).toBeUndefined();
  });

  it.each<[string, RequestListener]>([
    ['a redirect', (_q, r) => void r.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    [
      'an endless answer',
      (_q, r) => {
        const more = (): void => {
          if (!r.destroyed) r.write('x'.repeat(10_000), () => setImmediate(more));
        };
        more();
      },
    ],
    ['no JSON', (_q, r) => void r.end('<html>')],
    ['no set', json(() => [])],
    ['too many keys', json(() => ({ keys: Array.from({ length: 101 }, () => ({})) }))],
  ])('refuses %s', async (_name, answer) => {
    const { url, asked } = await serve(answer);
    await expect(new RemoteKeySet({ url }).find('a')).rejects.toBeInstanceOf(ProtocolError);
    expect(asked()).toBe(1);
  });

  it('rejects when the issuer cannot be reached, or does not answer in time', async () => {
    const { url } = await serve(() => undefined);
    await expect(new RemoteKeySet({ url, timeoutMs: 50 }).find('a')).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(new RemoteKeySet({ url: 'http://127.0.0.1:1/' }).find('a')).rejects.toBeInstanceOf(ConnectionError);
    const reason = new Error('left');
    const keys = new RemoteKeySet({ url });
    await expect(keys.find('a', { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(keys.find('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('refuses addresses that others may answer, and algorithms of published secrets', () => {
    for (const options of [
      { url: 'http://login.example/jwks' },
      { url: '/jwks' },
      { url: 'ftp://x' },
      { url: 'https://x', algorithms: ['HS256'] },
      { url: 'https://x', source: {} },
      {},
    ])
      expect(() => new RemoteKeySet(options as never)).toThrow(ConfigurationError);
  });
});
