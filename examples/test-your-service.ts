/**
 * A service of one's own, tested: an order service on a real PostgreSQL, called through its API, under load,
 * and with its network cut. Any runner will do; here it is Node's own.
 *
 * Run: node --import tsx examples/test-your-service.ts
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as runner from 'node:test';
import { APIIntegration } from '@safla/sdk/api';
import { PostgresDatabase } from '@safla/sdk/database';
import { FaultProxy, IntegrationTestFramework, loadTest, TestContainer } from '@safla/sdk/testing';

/** The service under test: POST /orders stores an order, GET /orders counts them, for those who have the key. */
function orderService(db: PostgresDatabase): Server {
  return createServer(async (request, response) => {
    const answer = (status: number, body: object): unknown => response.writeHead(status).end(JSON.stringify(body));
    if (request.headers.authorization !== 'Bearer k-1') return answer(401, { error: 'who are you?' });
    try {
      if (request.method === 'POST') await db.sql`insert into orders (at) values (now())`;
      const { count } = await db.sql.one`select count(*) as count from orders`;
      answer(200, { count });
    } catch {
      answer(503, { error: 'try again' });
    }
  });
}

const services = await TestContainer.start({ postgres: { kinds: ['environment', 'system', 'package', 'docker'] } });
const mine = await services.postgres.namespace();
const proxy = await FaultProxy.start({ target: mine.url });
const db = new PostgresDatabase({ url: proxy.url, acquireTimeoutMs: 500, connectTimeoutMs: 500 });
await db.sql`create table orders (id bigint generated always as identity, at timestamptz)`;
const server = orderService(db);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const api = new APIIntegration({ baseURL, auth: 'k-1' });

// Four tests by one line: the key, a wrong key, GET, POST, the rate limit.
new IntegrationTestFramework({ runner }).createAPIIntegrationTest('orders', {
  baseURL,
  apiKey: 'k-1',
  path: '/orders',
});

runner.it('answers 200 calls per second within a second each', async () => {
  const { latency, errorRate, due } = await loadTest(() => api.get('/orders', {}, false), {
    rate: 200,
    durationMs: 500,
  });
  assert.equal(due, 100);
  assert.equal(errorRate, 0);
  assert.ok(latency.p50Ms < 1_000, `the median was ${latency.p50Ms.toFixed(0)} ms`);
});

runner.it('says so while its database is away, and works again after', async () => {
  proxy.refuse();
  proxy.cut();
  const once = new APIIntegration({ baseURL, auth: 'k-1', policy: { retry: false } });
  await assert.rejects(once.get('/orders'), /503/);
  await once.close();
  await proxy.heal();
  await api.get('/orders', {}, false);
});

runner.after(async () => {
  server.close().closeAllConnections();
  await api.close();
  await db.close();
  await proxy.close();
  await mine.drop();
  await services.stop();
});
