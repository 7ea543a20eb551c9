import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConnectionError, QueueFullError } from '@safla/sdk/core';
import { EventStream, redisStreams } from '@safla/sdk/events';
import { FaultProxy } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { freePorts } from './redis-cluster-support.js';
import { killClients, newName, ownRedis, serverPid, whileFrozen } from './redis-support.js';
import { deferred, drained, until } from './support.js';

const soak = process.env.SAFLA_SOAK === '1';

const redis = ownRedis({ kinds: ['system', 'package'], config: { appendonly: 'yes', appendfsync: 'always' } });

interface Flow {
  readonly stream: EventStream;
  readonly acked: string[];
  readonly handled: Map<string, number>;
  /** Lets what is published be handled; gives the ids that were lost, and those that were handled twice. */
  end(): Promise<{ readonly lost: string[]; readonly twice: string[] }>;
}

/** Publishes and consumes without pause. */
async function startFlow(url: string): Promise<Flow> {
  const stream = new EventStream({ transport: redisStreams({ url, prefix: newName(), deadAfterMs: 3_000 }) });
  const handled = new Map<string, number>();
  const acked: string[] = [];
  await stream.consume('orders', { group: 'g', from: 'start', concurrency: 32 }, async ({ id }) => {
    handled.set(id, (handled.get(id) ?? 0) + 1);
    await new Promise((resolve) => setImmediate(resolve));
  });
  let ending = false;
  let next = 0;
  const lanes = Array.from({ length: 20 }, async () => {
    while (!ending) {
      const id = `e${next++}`;
      await stream.publish('orders', { id }, { id }).then(
        () => acked.push(id),
        () => undefined,
      );
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });
  return {
    stream,
    acked,
    handled,
    async end() {
      ending = true;
      await Promise.all(lanes);
      await until(() => acked.every((id) => handled.has(id)));
      await drained(stream, 'orders', 'g');
      await stream.close();
      await stream.transport.close();
      return {
        lost: acked.filter((id) => !handled.has(id)),
        twice: [...handled].filter(([, count]) => count > 1).map(([id]) => id),
      };
    },
  };
}

describe('events through faults of Redis', () => {
  it('handles all that was acknowledged, once, while connections are killed and the server freezes', async () => {
    const pid = await serverPid(redis.url);
    const flow = await startFlow(redis.url);
    for (let fault = 0; fault < (soak ? 40 : 6); fault++) {
      const target = flow.acked.length + 100;
      await until(() => flow.acked.length > target);
      if (fault % 3 === 2) await whileFrozen(pid, () => new Promise((resolve) => setTimeout(resolve, 300)));
      else await killClients(redis.client);
    }
    const before = flow.acked.length;
    await until(() => flow.acked.length > before + 100);
    expect(await flow.end()).toEqual({ lost: [], twice: [] });
  }, 120_000);

  it('handles all that was acknowledged, once, while the network cuts what is on its way', async () => {
    await using proxy = await FaultProxy.start({ target: redis.url });
    const flow = await startFlow(proxy.url);
    for (let fault = 0; fault < (soak ? 40 : 6); fault++) {
      const target = flow.acked.length + 50;
      await until(() => flow.acked.length > target);
      // Commands arrive and take effect; their answers are lost.
      proxy.freeze({ direction: 'down' });
      await new Promise((resolve) => setTimeout(resolve, 30));
      proxy.cut();
      proxy.thaw();
    }
    const before = flow.acked.length;
    await until(() => flow.acked.length > before + 50);
    expect(await flow.end()).toEqual({ lost: [], twice: [] });
  }, 120_000);

  it('handles all that was acknowledged, once, while the server is killed and started again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'safla-redis-'));
    const [port = 0] = await freePorts(1);
    const start = (): ChildProcess => {
      const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
      return spawn('redis-server', [...settings, '--appendonly', 'yes', '--appendfsync', 'always'], {
        stdio: 'ignore',
      });
    };
    let server = start();
    try {
      const flow = await startFlow(`redis://127.0.0.1:${port}`);
      for (let fault = 0; fault < (soak ? 20 : 3); fault++) {
        const target = flow.acked.length + 100;
        await until(() => flow.acked.length > target);
        const ended = once(server, 'exit');
        server.kill('SIGKILL');
        await ended;
        server = start();
      }
      const before = flow.acked.length;
      await until(() => flow.acked.length > before + 100);
      expect(await flow.end()).toEqual({ lost: [], twice: [] });
    } finally {
      server.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }, 120_000);

  it('rejects in time and within its bounds while Redis is away, and works when it is back', async () => {
    await using proxy = await FaultProxy.start({ target: redis.url });
    proxy.refuse();
    const transport = redisStreams({ url: proxy.url, prefix: newName(), timeoutMs: 500, maxQueuedEvents: 2 });
    await using stream = new EventStream({ transport });
    const results = await Promise.allSettled([1, 2, 3].map((number) => stream.publish('orders', number)));
    const reasons = results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
    expect(reasons[0]).toBeInstanceOf(ConnectionError);
    expect(reasons[1]).toBeInstanceOf(ConnectionError);
    expect(reasons[2]).toBeInstanceOf(QueueFullError);
    await expect(stream.lag('orders', 'g')).rejects.toBeInstanceOf(ConnectionError);
    await expect(stream.publish('orders', 5)).rejects.toThrow(/no answer within 500 ms \(.*ECONNREFUSED/);
    await expect(stream.consume('orders', { group: 'g' }, () => undefined)).rejects.toThrow(/ECONNREFUSED/);
    await proxy.heal();
    await until(() =>
      stream.publish('orders', 4).then(
        () => true,
        () => false,
      ),
    );
    await transport.close();
  });

  it('closes in time while Redis is frozen, with a handler that never settles', async () => {
    const pid = await serverPid(redis.url);
    const stream = new EventStream({ url: redis.url });
    const began = deferred();
    const channel = newName();
    await stream.consume(channel, { group: 'g', from: 'start' }, () => {
      began.resolve();
      return new Promise(() => undefined);
    });
    await stream.publish(channel, 1);
    await began.promise;
    await whileFrozen(pid, () => stream.close({ timeoutMs: 1_000 }));
  });

  it('gives what a dead process held to the others, and gives up what ends its process each time', async () => {
    const prefix = newName();
    const options = { url: redis.url, prefix, deadAfterMs: 300, pollMs: 50 };
    const transport = redisStreams(options);
    await using stream = new EventStream({ transport });
    await stream.publish('orders', 'poison', { id: 'poison' });
    for (let death = 0; death < 3; death++) {
      // A process that dies says nothing: its member takes the event and is never heard of again.
      await using proxy = await FaultProxy.start({ target: redis.url });
      const dying = redisStreams({ ...options, url: proxy.url });
      const member = await dying.subscribe({ channel: 'orders', group: 'g', from: 'start', ordered: false });
      const batch = await member.pull(1, new AbortController().signal);
      expect(batch.map(({ attempt }) => attempt)).toEqual([death + 1]);
      proxy.freeze();
      await dying.close({ timeoutMs: 10 });
      proxy.cut();
    }
    const runs: number[] = [];
    await using _consumer = await stream.consume(
      'orders',
      { group: 'g', redelivery: { maxDeliveries: 3 } },
      ({ attempt }) => void runs.push(attempt),
    );
    await until(async () => (await stream.deadLetters('orders').list()).length === 1);
    const [letter] = await stream.deadLetters('orders').list();
    expect(letter).toMatchObject({ group: 'g', event: { id: 'poison', data: 'poison' } });
    expect(letter?.reason).toMatch(/taken 3 times/);
    expect(runs).toEqual([]);
    await transport.close();
  }, 60_000);

  it('goes on after FLUSHALL, with what is published then', async () => {
    const transport = redisStreams({ url: redis.url, prefix: newName(), pollMs: 50 });
    await using stream = new EventStream({ transport });
    const seen: unknown[] = [];
    await using _consumer = await stream.consume('orders', { group: 'g' }, ({ data }) => void seen.push(data));
    await stream.publish('orders', 1);
    await until(() => seen.length === 1);
    await redis.client.flushall();
    await stream.publish('orders', 2);
    await until(() => seen.includes(2));
    expect(seen).toEqual([1, 2]);
    await transport.close();
  });
});
