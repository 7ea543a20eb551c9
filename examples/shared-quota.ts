/**
 * Four processes that share one quota of an API: together they stay within it, whatever each of them
 * wants, and none needs to know of the others. What happens without Redis is said once.
 *
 *     npx tsx examples/shared-quota.ts
 */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { APIIntegration, SharedLimiter } from '@safla/sdk/api';
import { LocalLimiter } from '@safla/sdk/resilience';
import { FaultProxy, TestContainer } from '@safla/sdk/testing';

const quota = { limit: 20, intervalMs: 1_000 };
const [role, redisURL = '', sharedKey = '', baseURL = ''] = process.argv.slice(2);

if (role === 'worker') {
  await using limiter = new SharedLimiter({ url: redisURL, key: sharedKey, ...quota });
  await using api = new APIIntegration({ baseURL, policy: { limiter } });
  await Promise.all(Array.from({ length: 15 }, (_, index) => api.get(`/${process.pid}/${index}`)));
  process.disconnect();
} else {
  await using services = await TestContainer.start({ redis: true });
  await using mine = await services.redis.namespace();
  const key = mine.name;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const startedAt = performance.now();
  const self = fileURLToPath(import.meta.url);
  const workers = [1, 2, 3, 4].map(() =>
    fork(self, ['worker', mine.url, key, origin], { execArgv: ['--import', 'tsx'] }),
  );
  const exits = await Promise.all(workers.map(async (worker) => ((await once(worker, 'exit')) as [number])[0]));
  const intervals = (performance.now() - startedAt) / quota.intervalMs;
  assert.deepEqual(exits, [0, 0, 0, 0]);
  assert.equal(asked.length, 60);
  // 20 at once, the next 20 an interval later, the last 20 after another one.
  assert.ok(intervals > 2);
  console.log(`4 processes, 60 requests, at most ${quota.limit} a second: all were answered`);

  // While Redis is away, this process keeps to its own share.
  await using proxy = await FaultProxy.start({ target: mine.url });
  const fallback = new LocalLimiter({ limit: quota.limit / 4, intervalMs: quota.intervalMs, maxWaitMs: 0 });
  await using limiter = new SharedLimiter({ url: proxy.url, key, ...quota, fallback });
  await using api = new APIIntegration({ baseURL: origin, policy: { limiter } });
  await api.get('/with-redis');
  proxy.refuse();
  proxy.cut();
  await api.get('/without-redis');
  assert.equal(fallback.stats().granted, 1);
  console.log('Redis was away: the fallback let the request out');
  server.close();
  console.log('ok');
}
