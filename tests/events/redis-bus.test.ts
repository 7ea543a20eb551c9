import { inspect } from 'node:util';
import {
  ClosedError,
  ConfigurationError,
  ConnectionError,
  QueueFullError,
  ValidationError,
  withContext,
} from '@safla/sdk/core';
import { EventBusIntegration, redisPubSub } from '@safla/sdk/events';
import { FaultProxy } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { killClients, newName, ownRedis, serverPid, whileFrozen } from './redis-support.js';
import { until } from './support.js';

const server = ownRedis();

function listen(bus: EventBusIntegration): { readonly channel: string; readonly event: unknown }[] {
  const seen: { readonly channel: string; readonly event: unknown }[] = [];
  bus.on('event', (event) => {
    seen.push(event);
  });
  return seen;
}

describe('EventBusIntegration on Redis', () => {
  it("works in the guide's form, with bare JSON on the wire", async () => {
    await using bus = new EventBusIntegration(server.url);
    const [channel, other] = [newName(), newName()];
    const seen = listen(bus);
    const wire = server.client.duplicate();
    const raw: unknown[] = [];
    wire.on('message', (_, message) => raw.push(message));
    await wire.subscribe(channel);
    await bus.subscribe([channel]);
    expect(await bus.publish(channel, { id: 1, text: 'ä' })).toEqual({ channel, receivers: 2 });
    expect(await bus.publish(other, { id: 2 })).toEqual({ channel: other, receivers: 0 });
    await server.client.publish(channel, '{"from":"elsewhere"}');
    await until(() => seen.length === 2 && raw.length === 2);
    expect(raw[0]).toBe('{"id":1,"text":"ä"}');
    expect(seen).toEqual([
      { channel, event: { id: 1, text: 'ä' } },
      { channel, event: { from: 'elsewhere' } },
    ]);
    wire.disconnect();
  });

  it('counts subscriptions, and does nothing for an empty list', async () => {
    await using bus = new EventBusIntegration({ client: server.client });
    const channel = newName();
    await bus.subscribe([]);
    await bus.subscribe([channel]);
    await bus.subscribe([channel]);
    await bus.unsubscribe([]);
    await bus.unsubscribe([channel]);
    expect(await bus.publish(channel, 1)).toMatchObject({ receivers: 1 });
    await bus.unsubscribe([channel]);
    expect(await bus.publish(channel, 1)).toMatchObject({ receivers: 0 });
  });

  it('keeps the order of what it publishes, also when nothing is awaited', async () => {
    await using bus = new EventBusIntegration(server.url);
    const channel = newName();
    const seen = listen(bus);
    await bus.subscribe([channel]);
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    const receipts = await Promise.all(numbers.map((number) => bus.publish(channel, number)));
    expect(receipts.every(({ receivers }) => receivers === 1)).toBe(true);
    await until(() => seen.length === 1_000);
    expect(seen.map(({ event }) => event)).toEqual(numbers);
  });

  it('refuses what JSON cannot carry, and reports what others sent that is not JSON', async () => {
    await using bus = new EventBusIntegration(server.url);
    const channel = newName();
    const errors: unknown[] = [];
    bus.on('decodeError', (error) => {
      errors.push(error);
    });
    await bus.subscribe([channel]);
    await expect(bus.publish(channel, undefined)).rejects.toBeInstanceOf(ValidationError);
    await expect(bus.publish(channel, 1n)).rejects.toBeInstanceOf(ValidationError);
    await server.client.publish(channel, 'not JSON');
    await until(() => errors.length === 1);
  });

  it('leaves a client of the host open, with nothing of its own on it', async () => {
    const host = new Redis(server.url);
    const listeners = (): number => host.eventNames().reduce((sum, name) => sum + host.listenerCount(name), 0);
    await host.ping();
    const before = listeners();
    const bus = new EventBusIntegration({ client: host });
    await bus.subscribe(['a']);
    await bus.publish('a', 1);
    await bus.close();
    expect(await host.ping()).toBe('PONG');
    expect(listeners()).toBe(before);
    host.disconnect();
  });

  it('goes on after its connections were killed, and tells the gap', async () => {
    await using bus = new EventBusIntegration(server.url);
    const channel = newName();
    const seen = listen(bus);
    const gaps: { readonly channels: readonly string[]; readonly from: Date; readonly to: Date }[] = [];
    bus.on('gap', (gap) => {
      gaps.push(gap);
    });
    await bus.subscribe([channel]);
    await bus.publish(channel, 'before');
    await until(() => seen.length === 1);
    await killClients(server.client);
    await until(() => gaps.length === 1);
    expect(gaps[0]?.channels).toEqual([channel]);
    expect(gaps[0]?.to.getTime()).toBeGreaterThanOrEqual(gaps[0]?.from.getTime() ?? Number.NaN);
    expect(await bus.publish(channel, 'after')).toMatchObject({ receivers: 1 });
    await until(() => seen.length === 2);
  });

  it('publishes nothing twice when the answers are lost', async () => {
    await using proxy = await FaultProxy.start({ target: server.url });
    await using bus = new EventBusIntegration(proxy.url);
    const channel = newName();
    const wire = server.client.duplicate();
    const seen: unknown[] = [];
    wire.on('message', (_, message) => seen.push(Number(message)));
    await wire.subscribe(channel);
    await bus.publish(channel, 0);
    proxy.freeze({ direction: 'down' });
    const publishing = bus.publish(channel, 1);
    await until(() => seen.length === 2);
    proxy.cut();
    proxy.thaw();
    expect(await publishing).toEqual({ channel, receivers: 1 });
    await bus.publish(channel, 2);
    await until(() => seen.includes(2));
    expect(seen).toEqual([0, 1, 2]);
    wire.disconnect();
  });

  it('rejects in time while Redis is away, from a bounded queue, and works when it is back', async () => {
    await using proxy = await FaultProxy.start({ target: server.url });
    proxy.refuse();
    const transport = redisPubSub({ url: proxy.url, timeoutMs: 600, maxQueuedEvents: 3 });
    await using bus = new EventBusIntegration({ transport });
    const results = await Promise.allSettled([1, 2, 3, 4].map((number) => bus.publish('a', number)));
    const reasons = results.map((result) => (result.status === 'rejected' ? result.reason : undefined));
    expect(reasons.slice(0, 3).every((reason) => reason instanceof ConnectionError)).toBe(true);
    expect(reasons[3]).toBeInstanceOf(QueueFullError);
    const subscribing = await bus.subscribe(['a']).catch((error: unknown) => error);
    expect(subscribing).toBeInstanceOf(ConnectionError);
    expect(inspect(reasons[0], { depth: 9 }) + inspect(subscribing, { depth: 9 })).not.toContain(
      new URL(server.url).password,
    );
    await proxy.heal();
    await expect.poll(() => bus.publish('a', 5).catch(() => undefined), { timeout: 10_000 }).toBeDefined();
    await transport.close();
  });

  it('rejects in time while Redis is frozen, and closes in time', async () => {
    const pid = await serverPid(server.url);
    const transport = redisPubSub({ url: server.url, timeoutMs: 500 });
    const bus = new EventBusIntegration({ transport });
    const own = new EventBusIntegration(server.url);
    await bus.subscribe(['a']);
    await own.subscribe(['a']);
    await whileFrozen(pid, async () => {
      await expect(bus.publish('a', 1)).rejects.toBeInstanceOf(ConnectionError);
      await bus.close({ timeoutMs: 1_000 }).catch((error: unknown) => expect(error).toMatchObject({ code: 'TIMEOUT' }));
      await own.close({ timeoutMs: 1_000 });
      await transport.close({ timeoutMs: 1_000 });
    });
    await expect(bus.publish('a', 1)).rejects.toBeInstanceOf(ClosedError);
  });

  it('does not let listeners inherit the time or signal of the call that opened the connection', async () => {
    await using bus = new EventBusIntegration(server.url);
    const channel = newName();
    const seen = listen(bus);
    const results: unknown[] = [];
    bus.on('event', () => bus.publish('elsewhere', 1).then((receipt) => void results.push(receipt)));
    const controller = new AbortController();
    await withContext({ signal: controller.signal }, () => bus.subscribe([channel]));
    controller.abort();
    await bus.publish(channel, 1);
    await until(() => seen.length === 1 && results.length === 1);
  });

  it('refuses a client that is not from ioredis, and options that do not fit', () => {
    expect(() => new EventBusIntegration({ client: {} as never })).toThrow(/must be an ioredis client/);
    expect(() => new EventBusIntegration({ client: server.client, url: 'memory:' })).toThrow(ConfigurationError);
    expect(() => redisPubSub({})).toThrow(ConfigurationError);
    expect(() => new EventBusIntegration('http://localhost')).toThrow(ConfigurationError);
  });
});
