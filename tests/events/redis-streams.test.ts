import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { ConfigurationError, ConnectionError, QueueFullError, ValidationError, withContext } from '@safla/sdk/core';
import { EventStream, redisStreams } from '@safla/sdk/events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newName, ownRedis } from './redis-support.js';
import { drained, recorder, until } from './support.js';

const server = ownRedis();

const logOf = (prefix: string, channel: string): string => `{${prefix}:${channel}:0}:log`;

describe('EventStream on Redis', () => {
  it('works by its URL, and another stream goes on where the first ended', async () => {
    const channel = newName();
    const first = new EventStream({ url: server.url });
    await first.publish(channel, { total: 1 }, { id: 'a' });
    await first.close();
    await using second = new EventStream({ url: server.url });
    expect(await second.publish(channel, { total: 1 }, { id: 'a' })).toMatchObject({ duplicate: true });
    const { events, handler } = recorder();
    await using _consumer = await second.consume(channel, { group: 'g', from: 'start' }, handler);
    await drained(second, channel, 'g');
    expect(events.map(({ id, data }) => [id, data])).toEqual([['a', { total: 1 }]]);
  });

  it('gives what other programs wrote as it is, marked by the missing envelope', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix, pollMs: 30 });
    await using stream = new EventStream({ transport });
    const { events, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    const entry = await server.client.xadd(logOf(prefix, 'orders'), '*', 'sku', 'x', 'count', '2');
    await server.client.xadd(logOf(prefix, 'orders'), '*', 'id', 'theirs', 'body', 'plain text');
    await until(() => events.length === 2);
    expect(events[0]).toMatchObject({ id: entry, data: { sku: 'x', count: '2' }, envelope: undefined });
    expect(events[1]).toMatchObject({ id: 'theirs', data: 'plain text', envelope: undefined });
  });

  it('makes what does not match the schema a dead letter at once, and gives it back', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix, pollMs: 30 });
    await using stream = new EventStream({ transport });
    const seen: unknown[] = [];
    await stream.publish('orders', 'wrong', { id: 'w' });
    const schema = z.object({ total: z.number() });
    const strict = await stream.consume(
      'orders',
      { group: 'g', from: 'start', schema },
      ({ data }) => void seen.push(data),
    );
    await until(async () => (await stream.deadLetters('orders').list()).length === 1);
    await strict.close();
    expect(await stream.deadLetters('orders').requeue()).toBe(1);
    await using _lax = await stream.consume('orders', { group: 'g' }, ({ data }) => void seen.push(data));
    await until(() => seen.length === 1);
    expect(seen).toEqual(['wrong']);
    expect(await stream.deadLetters('orders').list()).toEqual([]);
  });

  it('keeps an event for a handler that works longer than deadAfterMs, whatever its prefetch', async () => {
    const settings = { url: server.url, prefix: newName(), deadAfterMs: 300, pollMs: 30 };
    await using transport = redisStreams(settings);
    await using other = redisStreams(settings);
    const seen: number[] = [];
    const work = async ({ attempt }: { attempt: number }): Promise<void> => {
      seen.push(attempt);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    };
    await using stream = new EventStream({ transport });
    await using _busy = await stream.consume('orders', { group: 'g', from: 'start', prefetch: 1 }, work);
    await stream.publish('orders', 1);
    await until(() => seen.length === 1);
    await using second = new EventStream({ transport: other });
    await using _idle = await second.consume('orders', { group: 'g', prefetch: 1 }, work);
    await drained(stream, 'orders', 'g');
    expect(seen).toEqual([1]);
  });

  it('refuses new events while a group owes the oldest, and makes room when it has settled them', async () => {
    await using transport = redisStreams({ client: server.client, prefix: newName(), maxEvents: 3 });
    await using stream = new EventStream({ transport });
    const member = await transport.subscribe({ channel: 'orders', group: 'slow', from: 'start', ordered: false });
    for (const number of [1, 2, 3]) await stream.publish('orders', number);
    const failure = await stream.publish('orders', 4).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(QueueFullError);
    expect(String(failure)).toContain("group 'slow'");
    const [oldest] = await member.pull(1, new AbortController().signal);
    await oldest?.settle({ kind: 'ack' });
    await stream.publish('orders', 4);
    const kept: unknown[] = [];
    for await (const { data } of stream.replay('orders')) kept.push(data);
    expect(kept).toEqual([2, 3, 4]);
    await member.close();
  });

  it("drops the oldest for a group that owes it with overflow: 'drop-oldest'", async () => {
    await using transport = redisStreams({
      client: server.client,
      prefix: newName(),
      maxEvents: 2,
      overflow: 'drop-oldest',
    });
    await using stream = new EventStream({ transport });
    const { data, handler } = recorder();
    await (await stream.consume('orders', { group: 'g', from: 'start' }, handler)).close();
    for (const number of [1, 2, 3, 4]) await stream.publish('orders', number);
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    await until(() => data().length === 2);
    expect(data()).toEqual([3, 4]);
  });

  it('refuses a payload over the bound before anything is sent', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix });
    await using stream = new EventStream({ transport, maxPayloadBytes: 500 });
    await expect(stream.publish('orders', 'x'.repeat(500))).rejects.toBeInstanceOf(ValidationError);
    expect(await server.client.exists(logOf(prefix, 'orders'))).toBe(0);
  });

  it('publishes many at once, more than one batch holds, in their order', async () => {
    await using transport = redisStreams({ client: server.client, prefix: newName() });
    await using stream = new EventStream({ transport });
    const drafts = Array.from({ length: 1_500 }, (_, index) => ({ channel: 'orders', data: index, id: `e${index}` }));
    const receipts = await stream.publishMany([...drafts, ...drafts.slice(0, 3)]);
    expect(receipts.filter(({ duplicate }) => duplicate)).toHaveLength(3);
    const kept: unknown[] = [];
    for await (const { data } of stream.replay('orders')) kept.push(data);
    expect(kept).toEqual(drafts.map(({ data }) => data));
  });

  it('rejects when fewer replicas than asked for have it', async () => {
    await using transport = redisStreams({
      client: server.client,
      prefix: newName(),
      waitReplicas: 1,
      timeoutMs: 4_000,
    });
    await using stream = new EventStream({ transport });
    const failure = await stream.publish('orders', 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConnectionError);
    expect(String(failure)).toMatch(/0 of 1 replicas/);
  });

  it('ends a publish by its signal and time, and leaves no listener on the signal', async () => {
    await using transport = redisStreams({ client: server.client, prefix: newName() });
    await using stream = new EventStream({ transport });
    const controller = new AbortController();
    await stream.publish('orders', 1, { signal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    controller.abort(new Error('enough'));
    await expect(stream.publish('orders', 2, { signal: controller.signal })).rejects.toThrow('enough');
    await expect(withContext({ signal: controller.signal }, () => stream.publish('orders', 3))).rejects.toThrow(
      'enough',
    );
  });

  it('leaves a client of the host open, with no listener of its own', async () => {
    const host = server.client.duplicate();
    await host.ping();
    const listeners = (): number => host.eventNames().reduce((sum, name) => sum + host.listenerCount(name), 0);
    const before = listeners();
    const transport = redisStreams({ client: host, prefix: newName() });
    const stream = new EventStream({ transport });
    await stream.publish('orders', 1);
    await stream.close();
    await transport.close();
    expect(await host.ping()).toBe('PONG');
    expect(listeners()).toBe(before);
    host.disconnect();
  });

  it('says what is wrong without the password, when it is wrong', async () => {
    const url = new URL(server.url);
    url.password = 'canary-hunter2';
    await using transport = redisStreams({ url: url.href, prefix: newName(), timeoutMs: 1_000 });
    await using stream = new EventStream({ transport });
    for (const call of [stream.publish('orders', 1), stream.lag('orders', 'g')]) {
      const failure = await call.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(inspect(failure, { depth: 9 }) + JSON.stringify(failure)).not.toContain('canary-hunter2');
    }
  });

  it.each([
    {},
    { url: 'http://localhost' },
    { url: 'redis://localhost', client: {} },
    { client: {} },
    { url: 'redis://localhost', prefix: 'a{b' },
    { url: 'redis://localhost', partitions: 0 },
    { url: 'redis://localhost', partition: 2 },
    { url: 'redis://localhost', overflow: 'drop' },
    { url: 'redis://localhost', waitReplicas: -1 },
  ])('refuses the options %j', (options) => {
    expect(() => redisStreams(options as never)).toThrow(ConfigurationError);
  });
});
