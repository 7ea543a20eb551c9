import { randomBytes, randomUUID } from 'node:crypto';
import { ClosedError, ConfigurationError } from '@safla/sdk/core';
import { MemoryTokenStore, RedisTokenStore, TokenService, type TokenStore } from '@safla/sdk/security';
import { FaultProxy } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { ownRedis } from '../events/redis-support.js';

const redis = ownRedis(true);

const keys = [{ id: 'a', algorithm: 'HS256', secret: randomBytes(32) }] as const;
const serviceOf = (store: TokenStore) => new TokenService({ keys, issuer: 'shop', audience: 'shop', store });

describe.each<[string, () => TokenStore]>([
  ['MemoryTokenStore', () => new MemoryTokenStore()],
  ['RedisTokenStore', () => new RedisTokenStore({ client: redis.client, prefix: redis.prefix })],
])('%s', (_name, make) => {
  const soon = (): number => Date.now() + 60_000;

  it('remembers what was revoked, the longer of two times', async () => {
    const [store, id] = [make(), randomUUID()];
    expect(await store.isRevoked([id])).toBe(false);
    await store.revoke(id, soon());
    await store.revoke(id, Date.now() + 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await store.isRevoked([randomUUID(), id])).toBe(true);
    expect(await store.isRevoked([])).toBe(false);
  });

  it('rotates the latest alone, once, however many come', async () => {
    const [store, family] = [make(), randomUUID()];
    expect(await store.rotate({ family, id: '1', expiresAtMs: soon() }, '2')).toBe('ended');
    await store.begin({ family, id: '1', expiresAtMs: soon() });
    expect(await store.isRevoked([family])).toBe(false);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.rotate({ family, id: '1', expiresAtMs: soon() }, `n${i}`)),
    );
    expect(all.filter((one) => one === 'rotated')).toHaveLength(1);
    expect(all.filter((one) => one === 'reused')).toHaveLength(1);
    expect(all.filter((one) => one === 'ended')).toHaveLength(18);
    expect(await store.isRevoked([family])).toBe(true);
  });

  it('serves a service', async () => {
    const service = serviceOf(make());
    const login = await service.issue({ sub: 'alice' }, { refresh: true });
    const next = await service.refresh(login.refreshToken ?? '');
    await service.verify(next.accessToken);
    await expect(service.refresh(login.refreshToken ?? '')).rejects.toMatchObject({ kind: 'reused' });
    await expect(service.verify(next.accessToken)).rejects.toMatchObject({ kind: 'revoked' });
  });
});

describe('RedisTokenStore', () => {
  it('is shared by processes, and lets Redis forget what is over', async () => {
    const [one, two] = [
      new RedisTokenStore({ client: redis.client, prefix: redis.prefix }),
      new RedisTokenStore({ url: redis.url, prefix: redis.prefix }),
    ];
    const id = randomUUID();
    await one.revoke(id, Date.now() + 60_000);
    expect(await two.isRevoked([id])).toBe(true);
    const ttl = await redis.client.pttl(`${redis.prefix}:${id}`);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(60_000);
    await two.close();
    await two.close();
    await expect(two.isRevoked([id])).rejects.toBeInstanceOf(ClosedError);
    await one.close();
    expect(redis.client.status).toBe('ready');
  });

  it('accepts no token whose revocation cannot be looked up', async () => {
    await using proxy = await FaultProxy.start({ target: redis.url });
    await using store = new RedisTokenStore({ url: proxy.url, prefix: redis.prefix, commandTimeoutMs: 300 });
    const service = serviceOf(store);
    const { accessToken } = await service.issue({});
    await service.verify(accessToken);
    proxy.refuse();
    proxy.cut();
    await expect(service.verify(accessToken)).rejects.toMatchObject({ retryable: true });
    await service.verify(accessToken, { checkRevoked: false });
    await proxy.heal();
    let verified = false;
    while (!verified)
      verified = await service.verify(accessToken).then(
        () => true,
        () => false,
      );
  });

  it('needs a client or a URL', () => {
    for (const options of [
      {},
      { client: redis.client, url: 'redis://x' },
      { client: { get: () => 1 } },
      { url: 'http://x' },
      { url: 'redis://x', prefx: 'y' },
    ])
      expect(() => new RedisTokenStore(options as never)).toThrow(ConfigurationError);
  });
});
