import {
  ClosedError,
  ConfigurationError,
  NotFoundError,
  QueueFullError,
  UnsupportedError,
  ValidationError,
  withContext,
} from '@safla/sdk/core';
import { EventStream, inProcess } from '@safla/sdk/events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { drained, recorder, TestClock } from './support.js';

describe('EventStream.publish', () => {
  it('stores an id once within the dedupe window and says so in the receipt', async () => {
    const clock = new TestClock();
    await using transport = inProcess({ clock });
    await using stream = new EventStream({ transport, dedupe: { windowMs: 1_000 } });
    expect(await stream.publish('orders', 1, { id: 'a' })).toEqual({ channel: 'orders', id: 'a', duplicate: false });
    clock.move(999);
    expect(await stream.publish('orders', 2, { id: 'a' })).toMatchObject({ duplicate: true });
    expect(await stream.publish('refunds', 3, { id: 'a' })).toMatchObject({ duplicate: false });
    clock.move(1);
    expect(await stream.publish('orders', 4, { id: 'a' })).toMatchObject({ duplicate: false });
    expect(transport.stats().events).toBe(3);
  });

  it('keeps refusing a duplicate when the clock jumps back', async () => {
    const clock = new TestClock();
    await using transport = inProcess({ clock });
    await using stream = new EventStream({ transport, dedupe: { windowMs: 1_000 } });
    await stream.publish('orders', 1, { id: 'a' });
    clock.move(-3_600_000);
    expect(await stream.publish('orders', 1, { id: 'a' })).toMatchObject({ duplicate: true });
    await stream.publish('orders', 2);
    const times = [];
    for await (const { time } of transport.read('orders', { from: 'start' })) times.push(time);
    expect(times[1]).toBe(times[0]);
  });

  it('stores every publish with dedupe: false', async () => {
    await using transport = inProcess();
    await using stream = new EventStream({ transport, dedupe: false });
    await stream.publish('orders', 1, { id: 'a' });
    expect(await stream.publish('orders', 1, { id: 'a' })).toMatchObject({ duplicate: false });
  });

  it('forgets the oldest ids when there are more than maxIds, and counts them', async () => {
    await using transport = inProcess({ maxIds: 2 });
    await using stream = new EventStream({ transport });
    for (const id of ['a', 'b', 'c']) await stream.publish('orders', id, { id });
    expect(await stream.publish('orders', 'c', { id: 'c' })).toMatchObject({ duplicate: true });
    expect(await stream.publish('orders', 'a', { id: 'a' })).toMatchObject({ duplicate: false });
    expect(transport.stats().forgottenIds).toBe(2);
  });

  it('makes an id of its own when none is given', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const ids = await Promise.all([1, 2].map(async (data) => (await stream.publish('orders', data)).id));
    expect(new Set(ids).size).toBe(2);
  });

  it('publishes many in order, on several channels, with a receipt each', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const receipts = await stream.publishMany([
      { channel: 'a', data: 1, id: 'x' },
      { channel: 'b', data: 2 },
      { channel: 'a', data: 3, id: 'x' },
      { channel: 'a', data: 4, key: 'k' },
    ]);
    expect(receipts.map(({ channel, duplicate }) => [channel, duplicate])).toEqual([
      ['a', false],
      ['b', false],
      ['a', true],
      ['a', false],
    ]);
    const seen = [];
    for await (const { data, key } of stream.replay('a')) seen.push([data, key]);
    expect(seen).toEqual([
      [1, undefined],
      [4, 'k'],
    ]);
    expect(await stream.publishMany([])).toEqual([]);
  });

  it('stores nothing when one of many is refused', async () => {
    await using transport = inProcess();
    await using stream = new EventStream({ transport });
    const events = [
      { channel: 'a', data: 1 },
      { channel: 'a', data: 1n },
    ];
    await expect(stream.publishMany(events)).rejects.toBeInstanceOf(ValidationError);
    expect(transport.stats().events).toBe(0);
  });

  it('sends what the data was at the call, and gives each group a copy', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const [one, two] = [recorder(), recorder()];
    await using _first = await stream.consume('orders', { group: 'one' }, one.handler);
    await using _second = await stream.consume('orders', { group: 'two' }, two.handler);
    const data = { list: [1] };
    const published = stream.publish('orders', data);
    data.list.push(2);
    await published;
    await drained(stream, 'orders', 'one');
    await drained(stream, 'orders', 'two');
    expect(one.data()).toEqual([{ list: [1] }]);
    expect(one.events[0]?.data).not.toBe(two.events[0]?.data);
  });

  it('refuses data that does not match the schema of its channel, and infers its type', async () => {
    const schemas = { order: z.object({ id: z.string() }) };
    await using stream = new EventStream({ url: 'memory:', schemas });
    await stream.publish('order', { id: '1' });
    await stream.publish('anything', 1);
    // @ts-expect-error the schema wants a string
    await expect(stream.publish('order', { id: 1 })).rejects.toBeInstanceOf(ValidationError);
  });

  it.each([
    ['undefined', undefined],
    ['a BigInt', 1n],
    ['a function', () => 1],
    ['infinity', { value: Number.POSITIVE_INFINITY }],
  ])('refuses %s with ValidationError', async (_, data) => {
    await using stream = new EventStream({ url: 'memory:' });
    await expect(stream.publish('orders', data)).rejects.toBeInstanceOf(ValidationError);
  });

  it.each(['', ' ', 'a b', 'a..b', '.a', 'a.', 'a.*', 'a>b', '{a}', 'x'.repeat(256), 7])(
    'refuses the channel %j',
    async (channel) => {
      await using stream = new EventStream({ url: 'memory:' });
      await expect(stream.publish(channel as string, 1)).rejects.toBeInstanceOf(ValidationError);
    },
  );

  it.each([{ id: '' }, { id: 7 }, { key: '' }, { key: 'x'.repeat(256) }])('refuses %j', async (options) => {
    await using stream = new EventStream({ url: 'memory:' });
    await expect(stream.publish('orders', 1, options as never)).rejects.toBeInstanceOf(ValidationError);
  });

  it('refuses an event longer than maxPayloadBytes', async () => {
    await using stream = new EventStream({ url: 'memory:', maxPayloadBytes: 1_000 });
    await expect(stream.publish('orders', 'x'.repeat(1_000))).rejects.toThrow(/maxPayloadBytes/);
    expect(await stream.publish('orders', 'x'.repeat(100))).toMatchObject({ duplicate: false });
  });

  it('rejects with the reason of the caller, its own or that of the surrounding context, and stores nothing', async () => {
    await using transport = inProcess();
    await using stream = new EventStream({ transport });
    const reason = new Error('enough');
    await expect(stream.publish('orders', 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const inContext = withContext({ signal: AbortSignal.abort(reason) }, () => stream.publish('orders', 1));
    await expect(inContext).rejects.toBe(reason);
    expect(transport.stats().events).toBe(0);
  });

  it('refuses calls after close', async () => {
    const stream = new EventStream({ url: 'memory:' });
    await Promise.all([stream.close(), stream.close()]);
    await expect(stream.publish('a', 1)).rejects.toBeInstanceOf(ClosedError);
    await expect(stream.consume('a', { group: 'g' }, () => 1)).rejects.toBeInstanceOf(ClosedError);
    await expect(stream.lag('a', 'g')).rejects.toBeInstanceOf(ClosedError);
    expect(() => stream.replay('a')).toThrow(ClosedError);
    expect(() => stream.deadLetters('a')).toThrow(ClosedError);
  });

  it.each([
    {},
    { url: 'amqp://localhost' },
    { url: 'memory:', transport: inProcess() },
    { url: 'memory:', dedup: false },
    { url: 'memory:', dedupe: { windowMs: -1 } },
    { url: 'memory:', redelivery: { maxDeliveries: 0 } },
    { url: 'memory:', schemas: { a: {} } },
  ])('refuses the options %#', (options) => {
    expect(() => new EventStream(options as never)).toThrow(ConfigurationError);
  });
});

describe('the bound of an in-process log', () => {
  it('refuses an event rather than drop one that a group has still to settle', async () => {
    await using transport = inProcess({ maxItems: 2 });
    await using stream = new EventStream({ transport });
    const consumer = await stream.consume('orders', { group: 'slow' }, () => undefined);
    await consumer.close();
    await stream.publishMany([1, 2].map((data) => ({ channel: 'orders', data })));
    await expect(stream.publish('orders', 3)).rejects.toBeInstanceOf(QueueFullError);
    await expect(stream.publish('orders', 3)).rejects.toThrow(/group 'slow'/);
    const { handler, data } = recorder();
    await using _again = await stream.consume('orders', { group: 'slow' }, handler);
    await drained(stream, 'orders', 'slow');
    await stream.publish('orders', 3);
    await drained(stream, 'orders', 'slow');
    expect(data()).toEqual([1, 2, 3]);
    expect(transport.stats()).toMatchObject({ events: 2, dropped: 0 });
  });

  it("drops the oldest and counts what a group lost with overflow: 'drop-oldest'", async () => {
    await using transport = inProcess({ maxItems: 2, overflow: 'drop-oldest' });
    await using stream = new EventStream({ transport });
    await (await stream.consume('orders', { group: 'slow' }, () => undefined)).close();
    await stream.publishMany([1, 2, 3, 4].map((data) => ({ channel: 'orders', data })));
    expect(await stream.lag('orders', 'slow')).toBe(2);
    expect(transport.stats()).toMatchObject({ events: 2, dropped: 2 });
    const { handler, data } = recorder();
    await using _again = await stream.consume('orders', { group: 'slow' }, handler);
    await drained(stream, 'orders', 'slow');
    expect(data()).toEqual([3, 4]);
  });

  it('has room again when a group that nobody consumes is deleted', async () => {
    await using transport = inProcess({ maxItems: 2 });
    await using stream = new EventStream({ transport });
    const consumer = await stream.consume('orders', { group: 'gone' }, () => undefined);
    await expect(stream.deleteGroup('orders', 'gone')).rejects.toBeInstanceOf(ConfigurationError);
    await consumer.close();
    await stream.publishMany([1, 2].map((data) => ({ channel: 'orders', data })));
    await expect(stream.publish('orders', 3)).rejects.toThrow(/group 'gone'.*deleteGroup/);
    expect(await stream.deleteGroup('orders', 'gone')).toBe(true);
    expect(await stream.deleteGroup('orders', 'gone')).toBe(false);
    await stream.publish('orders', 3);
    await expect(stream.lag('orders', 'gone')).rejects.toBeInstanceOf(NotFoundError);
    const { handler, data } = recorder();
    await using _again = await stream.consume('orders', { group: 'gone', from: 'start', ordered: true }, handler);
    await drained(stream, 'orders', 'gone');
    expect(data()).toEqual([2, 3]);
  });

  it('deletes a group from all channels of a pattern, those to come too', async () => {
    await using transport = inProcess({ maxItems: 1 });
    await using stream = new EventStream({ transport });
    const consumer = await stream.consume('order.*', { group: 'g' }, () => undefined);
    await expect(stream.deleteGroup('order.*', 'g')).rejects.toBeInstanceOf(ConfigurationError);
    await consumer.close();
    await stream.publish('order.paid', 1);
    expect(await stream.deleteGroup('order.*', 'g')).toBe(true);
    for (const channel of ['order.paid', 'order.sent', 'order.sent']) await stream.publish(channel, 2);
    expect(await stream.deleteGroup('order.*', 'g')).toBe(false);
  });

  it('leaves the dead letters of a deleted group where they are until the group exists again', async () => {
    await using stream = new EventStream({ url: 'memory:', redelivery: { maxDeliveries: 1 } });
    const consumer = await stream.consume('orders', { group: 'g' }, () => Promise.reject(new Error('no')));
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    await consumer.close();
    await stream.deleteGroup('orders', 'g');
    const letters = stream.deadLetters('orders');
    expect(await letters.requeue()).toBe(0);
    expect(await letters.list()).toHaveLength(1);
    const { handler, data } = recorder();
    await using _again = await stream.consume('orders', { group: 'g' }, handler);
    expect(await letters.requeue()).toBe(1);
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual([1]);
  });

  it('refuses to delete a group where the transport cannot', async () => {
    await using transport = inProcess();
    await using stream = new EventStream({ transport: Object.assign(transport, { deleteGroup: undefined }) as never });
    await expect(stream.deleteGroup('orders', 'g')).rejects.toBeInstanceOf(UnsupportedError);
  });

  it('trims what every group has settled without counting it as dropped', async () => {
    await using transport = inProcess({ maxItems: 10 });
    await using stream = new EventStream({ transport });
    const { handler, data } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    for (let i = 0; i < 3_000; i++) {
      await stream.publish('orders', i);
      if (i % 10 === 9) await drained(stream, 'orders', 'g');
    }
    expect(data()).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
    expect(transport.stats()).toMatchObject({ events: 10, dropped: 0 });
  });

  it('keeps to maxBytes', async () => {
    await using transport = inProcess({ maxBytes: 5_000 });
    await using stream = new EventStream({ transport });
    for (let i = 0; i < 20; i++) await stream.publish('orders', 'x'.repeat(1_000));
    expect(transport.stats().bytes).toBeLessThanOrEqual(5_000);
    await expect(stream.publish('orders', 'x'.repeat(6_000))).rejects.toBeInstanceOf(QueueFullError);
  });

  it('refuses one more channel than maxChannels', async () => {
    await using transport = inProcess({ maxChannels: 1 });
    await using stream = new EventStream({ transport });
    await stream.publish('a', 1);
    await stream.publish('a', 2);
    await expect(stream.publish('b', 1)).rejects.toBeInstanceOf(QueueFullError);
  });
});
