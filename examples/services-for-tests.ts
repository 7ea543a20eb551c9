/**
 * Real services for a test, and a network that breaks on command: a client keeps its promises while
 * answers stop, the connection is cut and the server is away.
 *
 * Run: node --import tsx examples/services-for-tests.ts
 */
import assert from 'node:assert/strict';
import { FaultProxy, TestContainer } from '@safla/sdk/testing';
import { Redis } from 'ioredis';

await using services = await TestContainer.start({ postgres: true, redis: true });
for (const line of services.report()) console.log(line);

await using mine = await services.redis.namespace();
await using proxy = await FaultProxy.start({ target: mine.url });
const client = new Redis(proxy.url, { keyPrefix: mine.name, commandTimeout: 1_000, retryStrategy: () => 20 });
client.on('error', (error) => console.log(`  the client noticed: ${error.message}`));

try {
  await client.incr('visits');

  console.log('answers stop: a call ends by its timeout, not never');
  proxy.freeze({ direction: 'down' });
  await assert.rejects(client.get('visits'), /timed out/i);
  proxy.thaw();
  assert.equal(await client.get('visits'), '1');

  console.log('the connection is cut: the client connects again by itself');
  assert.equal(proxy.cut(), 1);
  assert.equal(await client.incr('visits'), 2);

  console.log('the server is away for a while: the call waits, then works');
  proxy.refuse();
  proxy.cut();
  const call = client.incr('visits');
  await proxy.heal();
  assert.equal(await call, 3);
  console.log('connections through the proxy:', proxy.connections);
} finally {
  client.disconnect();
}
console.log('ok');
