import {
  ConfigurationError,
  ConnectionError,
  currentContext,
  NotFoundError,
  TimeoutError,
  UnsupportedError,
  ValidationError,
  withContext,
} from '@safla/sdk/core';
import { EventStream, type EventTransport, inProcess, type ReceivedEvent } from '@safla/sdk/events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { correlationIdHere } from '../../src/core/internal.js';
import { deferred, drained, type Recorder, recorder, until } from './support.js';

const fast = { redelivery: { baseDelayMs: 0 } };

describe('EventStream.consume', () => {
  it('gives the handler one object with id, channel, key, time, data, attempt, signal and envelope', async () => {
    await using stream = new EventStream({ url: 'memory:', source: 'urn:shop' });
    const { events, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    const before = Date.now();
    await stream.publish('orders', { total: 3 }, { id: 'e1', key: 'k1' });
    await drained(stream, 'orders', 'g');
    const [event] = events;
    expect(event).toMatchObject({ id: 'e1', channel: 'orders', key: 'k1', data: { total: 3 }, attempt: 1 });
    expect(event?.signal.aborted).toBe(false);
    expect(event?.time.getTime()).toBeGreaterThanOrEqual(before);
    expect(event?.envelope).toMatchObject({
      specversion: '1.0',
      id: 'e1',
      source: 'urn:shop',
      type: 'orders',
      time: event?.time.toISOString(),
      datacontenttype: 'application/json',
      partitionkey: 'k1',
      data: { total: 3 },
    });
  });

  it('shares events within a group and gives each group all of them', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const [a, b, other] = [recorder(), recorder(), recorder()];
    // One that is never busy may take all.
    const busy = async ({ handler }: Recorder, event: ReceivedEvent): Promise<void> => {
      handler(event);
      await new Promise((resolve) => setImmediate(resolve));
    };
    await using _a = await stream.consume('orders', { group: 'g', prefetch: 1 }, (event) => busy(a, event));
    await using _b = await stream.consume('orders', { group: 'g', prefetch: 1 }, (event) => busy(b, event));
    await using _other = await stream.consume('orders', { group: 'other' }, other.handler);
    const all = Array.from({ length: 100 }, (_, i) => i);
    for (const data of all) await stream.publish('orders', data);
    await drained(stream, 'orders', 'g');
    await drained(stream, 'orders', 'other');
    expect([...a.data(), ...b.data()].sort((x, y) => Number(x) - Number(y))).toEqual(all);
    expect(Math.min(a.events.length, b.events.length)).toBeGreaterThan(0);
    expect(other.data()).toEqual(all);
  });

  it('connects streams that share an inProcess() and leaves it open when one closes', async () => {
    await using shared = inProcess();
    const first = new EventStream({ transport: shared });
    await using second = new EventStream({ transport: shared });
    const { data, handler } = recorder();
    await using _consumer = await second.consume('orders', { group: 'g' }, handler);
    await first.publish('orders', 1);
    await first.close();
    await second.publish('orders', 2);
    await drained(second, 'orders', 'g');
    expect(data()).toEqual([1, 2]);
  });

  it.each([
    ['new', 'new' as const, [4]],
    ['start', 'start' as const, [1, 2, 3, 4]],
    ['an event id', { id: 'e2' }, [2, 3, 4]],
    ['a time', { time: 0 }, [1, 2, 3, 4]],
    ['a time to come', { time: new Date(Date.now() + 3_600_000) }, [4]],
  ])('begins a group at %s', async (_, from, expected) => {
    await using stream = new EventStream({ url: 'memory:' });
    for (const n of [1, 2, 3]) await stream.publish('orders', n, { id: `e${n}` });
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g', from }, handler);
    await stream.publish('orders', 4, { id: 'e4' });
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual(expected);
  });

  it('refuses to begin at an id that is not in the log', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const consuming = stream.consume('orders', { group: 'g', from: { id: 'never' } }, () => undefined);
    await expect(consuming).rejects.toBeInstanceOf(NotFoundError);
  });

  it('resumes a group where it was, whatever from says', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const { data, handler } = recorder();
    const first = await stream.consume('orders', { group: 'g' }, handler);
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    await first.close();
    await stream.publish('orders', 2);
    await using _second = await stream.consume('orders', { group: 'g', from: 'start' }, handler);
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual([1, 2]);
  });

  it('delivers again with a higher attempt until the handler succeeds', async () => {
    await using stream = new EventStream({ url: 'memory:', ...fast });
    const attempts: number[] = [];
    await using consumer = await stream.consume('orders', { group: 'g' }, ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('not yet');
    });
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    expect(attempts).toEqual([1, 2, 3]);
    await until(() => consumer.stats().running === 0);
    expect(consumer.stats()).toEqual({ running: 0, handled: 1, failed: 2, deadLettered: 0 });
    expect(await stream.deadLetters('orders').list()).toEqual([]);
  });

  it('never runs more handlers at once than concurrency, and reaches it', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    let [running, most] = [0, 0];
    await using _consumer = await stream.consume('orders', { group: 'g', concurrency: 4 }, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
    });
    await stream.publishMany(Array.from({ length: 40 }, (_, data) => ({ channel: 'orders', data })));
    await drained(stream, 'orders', 'g');
    expect(most).toBe(4);
  });

  it('takes no more than prefetch from the log', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const gate = deferred();
    const [blocked, free] = [recorder(), recorder()];
    await using _blocked = await stream.consume('orders', { group: 'g', prefetch: 3 }, async (event) => {
      blocked.handler(event);
      await gate.promise;
    });
    await stream.publishMany(Array.from({ length: 10 }, (_, data) => ({ channel: 'orders', data })));
    await until(() => blocked.events.length === 1);
    await using _free = await stream.consume('orders', { group: 'g' }, free.handler);
    await until(() => free.events.length === 7);
    gate.resolve();
    await drained(stream, 'orders', 'g');
    expect(blocked.data()).toEqual([0, 1, 2]);
  });

  it('takes as many as it may handle at once, whatever prefetch says', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const gate = deferred();
    const seen = recorder();
    await using _consumer = await stream.consume(
      'orders',
      { group: 'g', prefetch: 1, concurrency: 3 },
      async (event) => {
        seen.handler(event);
        await gate.promise;
      },
    );
    await stream.publishMany(Array.from({ length: 3 }, (_, data) => ({ channel: 'orders', data })));
    await until(() => seen.events.length === 3);
    gate.resolve();
    await drained(stream, 'orders', 'g');
  });

  it('keeps the order of a key across members and across redelivery, and lets other keys pass', async () => {
    await using stream = new EventStream({ url: 'memory:', ...fast });
    const done = new Map<unknown, number[]>();
    const overlap: string[] = [];
    const busy = new Set<unknown>();
    const handler = async ({ key, data, attempt }: { key: string | undefined; data: unknown; attempt: number }) => {
      if (busy.has(key)) overlap.push(String(key));
      busy.add(key);
      await new Promise((resolve) => setTimeout(resolve, Number(data) % 3));
      busy.delete(key);
      if (attempt === 1 && Number(data) % 5 === 0) throw new Error('first try fails');
      done.set(key, [...(done.get(key) ?? []), Number(data)]);
    };
    const options = { group: 'g', ordered: true, concurrency: 4 };
    await using _a = await stream.consume('orders', options, handler);
    await using _b = await stream.consume('orders', options, handler);
    const all = Array.from({ length: 90 }, (_, data) => ({ channel: 'orders', data, key: `k${data % 3}` }));
    await stream.publishMany(all);
    await drained(stream, 'orders', 'g');
    expect(overlap).toEqual([]);
    for (const key of ['k0', 'k1', 'k2']) {
      expect(done.get(key)).toEqual(all.filter((event) => event.key === key).map((event) => event.data));
    }
  });

  it('does not hold events of other keys behind a key that fails', async () => {
    await using stream = new EventStream({ url: 'memory:', redelivery: { baseDelayMs: 3_600_000, random: () => 1 } });
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g', ordered: true }, (event) => {
      if (event.key === 'bad') throw new Error('bad');
      handler(event);
    });
    await stream.publish('orders', 1, { key: 'bad' });
    await stream.publish('orders', 2, { key: 'bad' });
    await stream.publish('orders', 3, { key: 'good' });
    await stream.publish('orders', 4);
    await until(async () => (await stream.lag('orders', 'g')) === 2);
    expect(data()).toEqual([3, 4]);
  });

  it('refuses members of one group that disagree about order', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    await using _first = await stream.consume('orders', { group: 'g', ordered: true }, () => undefined);
    const second = stream.consume('orders', { group: 'g' }, () => undefined);
    await expect(second).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('follows a pattern, also on channels that are made later, also while nobody was there', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const { events, handler } = recorder();
    await stream.publish('order.paid', 0);
    const first = await stream.consume('order.*', { group: 'g' }, handler);
    await stream.publish('order.paid', 1);
    await stream.publish('order.shipped', 2);
    await stream.publish('order.paid.late', 3);
    await stream.publish('orders', 4);
    await until(() => events.length === 2);
    await first.close();
    await stream.publish('order.returned', 5);
    await using _second = await stream.consume('order.*', { group: 'g' }, handler);
    await until(() => events.length === 3);
    expect(events.map(({ channel, data }) => [channel, data])).toEqual([
      ['order.paid', 1],
      ['order.shipped', 2],
      ['order.returned', 5],
    ]);
  });

  it("matches any depth with '**'", async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('order.**', { group: 'g' }, handler);
    for (const channel of ['order', 'order.a', 'order.a.b', 'other.a']) await stream.publish(channel, channel);
    await until(() => data().length === 2);
    expect(data()).toEqual(['order.a', 'order.a.b']);
  });

  it('validates by the schema of consume, gives its output, and infers the type of data', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const years: number[] = [];
    const schema = z.object({ at: z.coerce.date() });
    await using _consumer = await stream.consume('orders', { group: 'g', schema }, ({ data }) => {
      years.push(data.at.getUTCFullYear());
    });
    await stream.publish('orders', { at: new Date('2020-05-05') });
    await drained(stream, 'orders', 'g');
    expect(years).toEqual([2020]);
  });

  it("uses the stream's schema of each channel, with a pattern too", async () => {
    await using transport = inProcess();
    await using writer = new EventStream({ transport });
    await using reader = new EventStream({ transport, schemas: { 'order.paid': z.object({ id: z.string() }) } });
    const { data, handler } = recorder();
    await using _consumer = await reader.consume('order.*', { group: 'g' }, handler);
    await writer.publish('order.paid', { id: 7 });
    await writer.publish('order.paid', { id: '7' });
    await writer.publish('order.free', 7);
    await until(() => data().length === 2);
    expect(data()).toEqual([{ id: '7' }, 7]);
    expect(await reader.deadLetters('order.paid').list()).toMatchObject([{ attempts: 1, event: { data: { id: 7 } } }]);
  });

  it("carries the publisher's correlation id into the handler and what it publishes", async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const seen: unknown[] = [];
    await using _first = await stream.consume('first', { group: 'g' }, async () => {
      seen.push(correlationIdHere());
      await stream.publish('second', 2);
    });
    await using _second = await stream.consume('second', { group: 'g' }, ({ envelope }) => {
      seen.push(envelope?.correlationid, correlationIdHere());
    });
    await withContext({ correlationId: 'c-1' }, () => stream.publish('first', 1));
    await until(() => seen.length === 3);
    await stream.publish('second', 3, { id: 'alone' });
    await until(() => seen.length === 5);
    expect(seen).toEqual(['c-1', 'c-1', 'c-1', undefined, 'alone']);
  });

  it('does not tie handlers to the context that consume was called in', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const caller = new AbortController();
    const reason = new Error('the caller left');
    const { events, handler } = recorder();
    const calling = withContext({ signal: caller.signal }, async () => {
      await stream.consume('orders', { group: 'g' }, handler);
      caller.abort(reason);
      await new Promise(() => undefined);
    });
    await expect(calling).rejects.toBe(reason);
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    expect(events.map(({ attempt }) => attempt)).toEqual([1]);
  });

  it('aborts the signal and the context of a handler that takes too long, and delivers again', async () => {
    await using stream = new EventStream({ url: 'memory:', ...fast });
    const reasons: unknown[] = [];
    const options = { group: 'g', timeoutMs: 20 };
    await using _consumer = await stream.consume('orders', options, async ({ attempt, signal }) => {
      if (attempt > 1) return;
      expect(currentContext().remainingMs).toBeLessThanOrEqual(20);
      signal.addEventListener('abort', () => reasons.push(signal.reason));
      await new Promise(() => undefined);
    });
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toBeInstanceOf(TimeoutError);
  });

  it('delivers a message that is not a CloudEvent as it is, without an envelope', async () => {
    await using transport = inProcess();
    await using stream = new EventStream({ transport });
    const { events, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    const bodies = ['plain text', '{"a":1}', '{"specversion":"0.3","id":"x","source":"s","type":"t"}'];
    const foreign = bodies.map((body, index) => ({ channel: 'orders', id: `f${index}`, body }));
    await transport.publish(foreign, { dedupeWindowMs: 0 });
    await drained(stream, 'orders', 'g');
    expect(events.map(({ id, data, envelope }) => [id, data, envelope])).toEqual([
      ['f0', 'plain text', undefined],
      ['f1', { a: 1 }, undefined],
      ['f2', { specversion: '0.3', id: 'x', source: 's', type: 't' }, undefined],
    ]);
    expect(events.every(({ time }) => Math.abs(time.getTime() - Date.now()) < 60_000)).toBe(true);
  });

  it('goes on taking events after the transport failed', async () => {
    await using local = inProcess();
    let failures = 0;
    const flaky: EventTransport = Object.assign(Object.create(local) as EventTransport, {
      name: 'flaky',
      capabilities: local.capabilities,
      publish: local.publish.bind(local),
      lag: local.lag.bind(local),
      subscribe: async (request: Parameters<EventTransport['subscribe']>[0]) => {
        const real = await local.subscribe(request);
        return {
          close: () => real.close(),
          pull: async (max: number, signal: AbortSignal) => {
            failures += 1;
            if (failures === 1) throw new ConnectionError('connection lost');
            return real.pull(max, signal);
          },
        };
      },
    });
    await using stream = new EventStream({ transport: flaky });
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual([1]);
  });

  it('refuses what the transport says it cannot do', async () => {
    await using local = inProcess();
    const capabilities = { ...local.capabilities, pattern: false, ordered: false, replay: false };
    const limited = Object.assign(Object.create(local) as EventTransport, { name: 'limited', capabilities });
    await using stream = new EventStream({ transport: limited });
    const none = (): undefined => undefined;
    await expect(stream.consume('a.*', { group: 'g' }, none)).rejects.toBeInstanceOf(UnsupportedError);
    await expect(stream.consume('a', { group: 'g', ordered: true }, none)).rejects.toBeInstanceOf(UnsupportedError);
    await expect(stream.consume('a', { group: 'g', from: 'start' }, none)).rejects.toBeInstanceOf(UnsupportedError);
    expect(() => stream.replay('a')).toThrow(UnsupportedError);
  });

  it.each([
    {},
    { group: '' },
    { group: 'g', from: 'later' },
    { group: 'g', from: {} },
    { group: 'g', from: { id: 'a', time: 1 } },
    { group: 'g', from: { time: Number.NaN } },
    { group: 'g', concurrency: 0 },
    { group: 'g', schema: {} },
    { group: 'g', order: true },
  ])('refuses the options %j', async (options) => {
    await using stream = new EventStream({ url: 'memory:' });
    const consuming = stream.consume('orders', options as never, () => undefined);
    await expect(consuming).rejects.toBeInstanceOf(ConfigurationError);
  });

  it.each(['', 'a*', '*a', 'a.**.b', 'a..b', '**.a', 'a.***'])('refuses the pattern %j', async (pattern) => {
    await using stream = new EventStream({ url: 'memory:' });
    const consuming = stream.consume(pattern, { group: 'g' }, () => undefined);
    await expect(consuming).rejects.toBeInstanceOf(ValidationError);
  });

  it('refuses an event id with a pattern, and a handler that is not a function', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const byId = stream.consume('a.*', { group: 'g', from: { id: 'x' } }, () => undefined);
    await expect(byId).rejects.toBeInstanceOf(ConfigurationError);
    await expect(stream.consume('a', { group: 'g' }, undefined as never)).rejects.toBeInstanceOf(ValidationError);
  });
});

describe('Consumer.close', () => {
  it('lets the running handler finish, and gives back what was not begun without counting an attempt', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const gate = deferred();
    const [first, second] = [recorder(), recorder()];
    const consumer = await stream.consume('orders', { group: 'g' }, async (event) => {
      first.handler(event);
      await gate.promise;
    });
    await stream.publishMany([1, 2, 3].map((data) => ({ channel: 'orders', data })));
    await until(() => first.events.length === 1);
    const closed = consumer.close();
    await using _next = await stream.consume('orders', { group: 'g' }, second.handler);
    await until(() => second.events.length === 2);
    gate.resolve();
    await closed;
    expect(await stream.lag('orders', 'g')).toBe(0);
    expect(first.data()).toEqual([1]);
    expect(second.events.map(({ data, attempt }) => [data, attempt])).toEqual([
      [2, 1],
      [3, 1],
    ]);
  });

  it('aborts a handler that never settles at the deadline, and the event goes to the next consumer', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const aborted = deferred();
    const { events, handler } = recorder();
    const consumer = await stream.consume('orders', { group: 'g' }, ({ signal }) => {
      signal.addEventListener('abort', aborted.resolve);
      return new Promise(() => undefined);
    });
    await stream.publish('orders', 1);
    await until(() => consumer.stats().running === 1);
    await consumer.close({ timeoutMs: 30 });
    await aborted.promise;
    await using _next = await stream.consume('orders', { group: 'g' }, handler);
    await drained(stream, 'orders', 'g');
    expect(events.map(({ attempt }) => attempt)).toEqual([1]);
  });

  it('ignores a handler that returns after close', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const gate = deferred();
    const { data, handler } = recorder();
    const consumer = await stream.consume('orders', { group: 'g' }, () => gate.promise);
    await stream.publish('orders', 1);
    await until(() => consumer.stats().running === 1);
    await consumer.close({ timeoutMs: 10 });
    gate.resolve();
    await gate.promise;
    expect(await stream.lag('orders', 'g')).toBe(1);
    await using _next = await stream.consume('orders', { group: 'g' }, handler);
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual([1]);
  });

  it('is idempotent, and closing the stream closes its consumers', async () => {
    const stream = new EventStream({ url: 'memory:' });
    let aborted = 0;
    const consumer = await stream.consume('orders', { group: 'g' }, ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted += 1;
      });
      return new Promise(() => undefined);
    });
    await stream.publish('orders', 1);
    await until(() => consumer.stats().running === 1);
    await stream.close({ timeoutMs: 50 });
    await consumer.close();
    await consumer.close();
    expect(aborted).toBe(1);
  });
});
