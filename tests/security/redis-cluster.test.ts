import { randomBytes, randomUUID } from 'node:crypto';
import { RedisLimiter, RedisTokenStore, SecurityIntegration, TokenService } from '@safla/sdk/security';
import type { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type TestCluster } from '../events/redis-cluster-support.js';

let cluster: TestCluster;
let client: Cluster;

beforeAll(async () => {
  cluster = await startCluster();
  client = cluster.connect();
}, 90_000);

afterAll(async () => {
  client?.disconnect();
  await cluster?.[Symbol.asyncDispose]();
});

const hour = 3_600_000;
/** What is counted is asked here, not how fast a busy machine is. */
const commandTimeoutMs = 20_000;
/** Spread over all masters; braces choose the slot of a key, and must not join keys. */
const keys = Array.from({ length: 30 }, (_, i) => `${i % 3 === 0 ? '{tag}' : ''}${i}-${randomUUID()}`);

describe('on a Redis Cluster', () => {
  it('limits count each key on its own shard, exactly', async () => {
    await using limiter = new RedisLimiter({ client, limit: 3, intervalMs: hour, commandTimeoutMs });
    const results = await Promise.all(
      keys.flatMap((key) => Array.from({ length: 5 }, async () => ({ key, ...(await limiter.consume(key)) }))),
    );
    expect(results.every(({ source }) => source === 'redis')).toBe(true);
    for (const key of keys) expect(results.filter((one) => one.key === key && one.allowed)).toHaveLength(3);
    await limiter.reset(keys[0] ?? '');
    expect((await limiter.consume(keys[0] ?? '')).allowed).toBe(true);
    expect(await limiter.health()).toMatchObject({ status: 'pass' });
  });

  it('refresh tokens rotate once, and their reuse ends the family on whatever shard it lies', async () => {
    await using store = new RedisTokenStore({ client, commandTimeoutMs });
    const service = new TokenService({
      keys: [{ id: 'a', algorithm: 'HS256', secret: randomBytes(32) }],
      issuer: 'shop',
      audience: 'shop',
      store,
    });
    for (let i = 0; i < 10; i++) {
      const login = await service.issue({ sub: 'alice' }, { refresh: true });
      const next = await service.refresh(login.refreshToken ?? '');
      await service.verify(next.accessToken);
      await expect(service.refresh(login.refreshToken ?? '')).rejects.toMatchObject({ kind: 'reused' });
      await expect(service.verify(next.accessToken)).rejects.toMatchObject({ kind: 'revoked' });
    }
    expect(await store.health()).toMatchObject({ status: 'pass' });
  });

  it('the short form takes the cluster as it is', async () => {
    await using security = new SecurityIntegration(randomBytes(32).toString('base64url'), client);
    const token = await security.generateToken({ sub: 'alice' });
    await security.checkRateLimit(randomUUID());
    expect(await security.authenticateToken(token)).toMatchObject({ sub: 'alice' });
  });

  it('a limiter goes on through the loss of a master', async () => {
    const key = randomUUID();
    const limiter = new RedisLimiter({ client, limit: 1_000, intervalMs: hour, commandTimeoutMs: 1_000, probeMs: 100 });
    await using _limiter = limiter;
    while ((await limiter.consume(key)).source !== 'redis') await new Promise((resolve) => setTimeout(resolve, 20));
    await cluster.killMasterOf(`safla:rate:7:default:${key}`);
    const sources = new Set<string>();
    while (!sources.has('insurance') || (await limiter.consume(key)).source !== 'redis') {
      const { allowed, source } = await limiter.consume(key);
      expect(allowed).toBe(true);
      sources.add(source);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, 60_000);
});
