import { ConfigurationError, NotFoundError, ValidationError } from '@safla/sdk/core';
import { EventStream, inProcess } from '@safla/sdk/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { redeliveryDelay } from '../../src/events/redelivery.js';
import { drained, recorder, TestClock, until } from './support.js';

describe('redelivery', () => {
  it('waits a random part of a pause that doubles up to its bound', async () => {
    const clock = new TestClock();
    await using transport = inProcess({ clock });
    const redelivery = { maxDeliveries: 10, baseDelayMs: 100, maxDelayMs: 300, random: () => 0.5 };
    await using stream = new EventStream({ transport, redelivery });
    const attempts: number[] = [];
    await using _consumer = await stream.consume('orders', { group: 'g' }, ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 5) throw new Error('no');
    });
    await stream.publish('orders', 1);
    for (const delay of [50, 100, 150, 150]) {
      const before = attempts.length;
      await until(() => clock.pending === 1);
      clock.move(delay - 1);
      expect(attempts).toHaveLength(before);
      clock.move(1);
      await until(() => attempts.length === before + 1);
    }
    await drained(stream, 'orders', 'g');
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
  });

  it('never waits longer than its bound nor beyond the last delivery', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, drawn) => {
        const delay = redeliveryDelay({ maxDeliveries: 1_000, random: () => drawn }, attempt);
        if (attempt >= 1_000) return delay === undefined;
        return delay !== undefined && delay >= 0 && delay <= 30_000;
      }),
    );
  });
});

describe('dead letters', () => {
  it('takes an event whose last delivery failed, with group, reason and attempts, and tells onDeadLetter', async () => {
    const told: unknown[] = [];
    await using stream = new EventStream({
      url: 'memory:',
      redelivery: { maxDeliveries: 3, baseDelayMs: 0 },
      deadLetter: { onDeadLetter: ({ reason, event }) => void told.push([reason, event.id]) },
    });
    await using consumer = await stream.consume('orders', { group: 'billing' }, () => {
      throw new TypeError('no card, token=abc123secret');
    });
    await stream.publish('orders', { total: 3 }, { id: 'e1', key: 'k' });
    await drained(stream, 'orders', 'billing');
    const [letter, ...others] = await stream.deadLetters('orders').list();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      channel: 'orders',
      group: 'billing',
      reason: 'TypeError: no card, token=[redacted]',
      attempts: 3,
      event: { id: 'e1', key: 'k', data: { total: 3 } },
    });
    expect(letter?.time).toBeInstanceOf(Date);
    expect(told).toEqual([[letter?.reason, 'e1']]);
    await until(() => consumer.stats().running === 0);
    expect(consumer.stats()).toMatchObject({ handled: 0, failed: 3, deadLettered: 1 });
  });

  it('goes on when onDeadLetter throws', async () => {
    await using stream = new EventStream({
      url: 'memory:',
      redelivery: { maxDeliveries: 1 },
      deadLetter: {
        onDeadLetter: () => {
          throw new Error('alarm is broken');
        },
      },
    });
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => Promise.reject(new Error('no')));
    await stream.publish('orders', 1);
    await stream.publish('orders', 2);
    await drained(stream, 'orders', 'g');
    expect(await stream.deadLetters('orders').list()).toHaveLength(2);
  });

  it('logs what an asynchronous onDeadLetter rejects with, and goes on', async () => {
    const logged: unknown[] = [];
    const none = (): void => undefined;
    await using stream = new EventStream({
      url: 'memory:',
      redelivery: { maxDeliveries: 1 },
      deadLetter: { onDeadLetter: () => Promise.reject(new Error('alarm is broken')) },
      telemetry: {
        logger: { debug: none, info: none, warn: none, error: (_, message) => void logged.push(message) },
      },
    });
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => Promise.reject(new Error('no')));
    await stream.publish('orders', 1);
    await until(() => logged.includes('onDeadLetter failed'));
    expect(await stream.deadLetters('orders').list()).toHaveLength(1);
  });

  it.each<[string, () => unknown]>([
    ['an object that is no text', () => Object.create(null)],
    [
      'an object whose toString throws',
      () => ({
        toString() {
          throw new Error('no text');
        },
      }),
    ],
    [
      'an error whose message throws',
      () =>
        Object.defineProperty(new Error(), 'message', {
          get() {
            throw new Error('no message');
          },
        }),
    ],
    ['an error with a symbol for a name', () => Object.assign(new Error('x'), { name: Symbol('x') })],
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
    ['undefined', () => undefined],
  ])('takes the event of a handler that throws %s, and the consumer goes on', async (_, thrown) => {
    const write = (facts: object): void => void JSON.stringify(facts);
    const logger = { debug: write, info: write, warn: write, error: write };
    await using stream = new EventStream({
      url: 'memory:',
      redelivery: { maxDeliveries: 2, baseDelayMs: 0 },
      telemetry: { logger },
    });
    const { handler, data } = recorder();
    await using consumer = await stream.consume('orders', { group: 'g' }, (event) => {
      if (event.data === 'odd') throw thrown();
      handler(event);
    });
    await stream.publish('orders', 'odd');
    await stream.publish('orders', 'even');
    await drained(stream, 'orders', 'g');
    await until(() => consumer.stats().running === 0);
    expect(data()).toEqual(['even']);
    const letters = await stream.deadLetters('orders').list();
    expect(letters).toMatchObject([{ attempts: 2, reason: expect.stringMatching(/./) }]);
  });

  it('cuts a long reason', async () => {
    await using stream = new EventStream({ url: 'memory:', redelivery: { maxDeliveries: 1 } });
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => {
      throw new Error('x'.repeat(5_000));
    });
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    const [letter] = await stream.deadLetters('orders').list();
    expect(letter?.reason).toHaveLength(1_000);
  });

  it('takes data that does not match the schema after one delivery, without its value in the reason', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const { events, handler } = recorder();
    const schema = z.object({ id: z.string() });
    await using _consumer = await stream.consume('orders', { group: 'g', schema }, handler);
    await stream.publish('orders', { id: 4711 });
    await drained(stream, 'orders', 'g');
    const [letter] = await stream.deadLetters('orders').list();
    expect(events).toEqual([]);
    expect(letter).toMatchObject({ attempts: 1, event: { data: { id: 4711 } } });
    expect(letter?.reason).toMatch(/^ValidationError: .*id/);
    expect(letter?.reason).not.toMatch(/4711/);
  });

  it('gives letters back to the group that gave them up, as a first attempt, and to no other', async () => {
    await using stream = new EventStream({ url: 'memory:', redelivery: { maxDeliveries: 1 } });
    const [other, retried] = [recorder(), recorder()];
    let mended = false;
    await using _other = await stream.consume('orders', { group: 'other' }, other.handler);
    await using _g = await stream.consume('orders', { group: 'g' }, (event) => {
      if (!mended) throw new Error('broken');
      retried.handler(event);
    });
    for (const n of [1, 2, 3]) await stream.publish('orders', n, { id: `e${n}` });
    await drained(stream, 'orders', 'g');
    mended = true;
    const letters = stream.deadLetters('orders');
    const [first, ...others] = await letters.list({ limit: 1 });
    expect(others).toEqual([]);
    expect(await letters.list({ limit: 0 })).toEqual([]);
    expect(await letters.requeue(first ? [first, 'unknown'] : [])).toBe(1);
    await drained(stream, 'orders', 'g');
    expect(retried.events.map(({ id, attempt }) => [id, attempt])).toEqual([['e1', 1]]);
    expect(await letters.requeue({ group: 'other' })).toBe(0);
    expect(await letters.requeue()).toBe(2);
    await drained(stream, 'orders', 'g');
    expect(retried.data()).toEqual([1, 2, 3]);
    expect(other.data()).toEqual([1, 2, 3]);
    expect(await letters.list()).toEqual([]);
  });

  it('makes a poison message a dead letter while the others are handled', async () => {
    await using stream = new EventStream({ url: 'memory:', redelivery: { baseDelayMs: 0 } });
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g', ordered: true }, (event) => {
      if (event.data === 'poison') throw new Error('always');
      handler(event);
    });
    await stream.publish('orders', 'poison', { key: 'k' });
    await stream.publish('orders', 'after', { key: 'k' });
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual(['after']);
    const reasons: string[] = [];
    for await (const { reason, attempts } of stream.deadLetters('orders')) reasons.push(`${reason} ${attempts}`);
    expect(reasons).toEqual(['Error: always 5']);
  });

  it('keeps the newest maxDeadLetters and counts the others', async () => {
    await using transport = inProcess({ maxDeadLetters: 2 });
    await using stream = new EventStream({ transport, redelivery: { maxDeliveries: 1 } });
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => {
      throw new Error('no');
    });
    for (const n of [1, 2, 3]) await stream.publish('orders', n);
    await drained(stream, 'orders', 'g');
    const letters = await stream.deadLetters('orders').list();
    expect(letters.map(({ event }) => event.data)).toEqual([2, 3]);
    expect(transport.stats()).toMatchObject({ deadLetters: 2, droppedDeadLetters: 1 });
  });

  it('keeps the newest that fit into maxBytes and counts the others', async () => {
    await using transport = inProcess({ maxBytes: 5_000 });
    await using stream = new EventStream({ transport, redelivery: { maxDeliveries: 1 } });
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => {
      throw new Error('no');
    });
    for (let n = 0; n < 20; n++) {
      await stream.publish('orders', { n, text: 'x'.repeat(1_000) });
      await drained(stream, 'orders', 'g');
    }
    const { deadLetters, deadLetterBytes, droppedDeadLetters } = transport.stats();
    expect(deadLetterBytes).toBeGreaterThan(3_000);
    expect(deadLetterBytes).toBeLessThanOrEqual(5_000);
    expect(deadLetters + droppedDeadLetters).toBe(20);
    const letters = await stream.deadLetters('orders').list();
    expect(letters.at(-1)?.event.data).toMatchObject({ n: 19 });
    expect(letters).toHaveLength(deadLetters);
    expect(await stream.deadLetters('orders').requeue(['1'])).toBe(0);
  });
});

describe('EventStream.replay', () => {
  async function filled(): Promise<{ stream: EventStream; clock: TestClock; start: number }> {
    const clock = new TestClock();
    const stream = new EventStream({ transport: inProcess({ clock }) });
    const start = clock.now();
    for (let n = 0; n < 10; n++) {
      await stream.publish('orders', n, { id: `e${n}` });
      clock.move(10);
    }
    return { stream, clock, start };
  }

  async function dataOf(events: AsyncIterable<{ readonly data: unknown }>): Promise<unknown[]> {
    const data = [];
    for await (const event of events) data.push(event.data);
    return data;
  }

  it('reads everything again, with both ends by id or time', async () => {
    const { stream, start } = await filled();
    expect(await dataOf(stream.replay('orders'))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await dataOf(stream.replay('orders', { from: { id: 'e7' } }))).toEqual([7, 8, 9]);
    expect(await dataOf(stream.replay('orders', { from: { id: 'e2' }, to: { id: 'e4' } }))).toEqual([2, 3, 4]);
    const [from, to] = [{ time: start + 15 }, { time: new Date(start + 40) }];
    expect(await dataOf(stream.replay('orders', { from, to }))).toEqual([2, 3, 4]);
    expect(await dataOf(stream.replay('orders', { from: { id: 'e4' }, to: { id: 'e2' } }))).toEqual([]);
    expect(await dataOf(stream.replay('never'))).toEqual([]);
  });

  it('ends at the newest event of when reading began, and moves no group', async () => {
    const { stream } = await filled();
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => undefined);
    const seen = [];
    for await (const { data } of stream.replay('orders', { from: { id: 'e8' } })) {
      seen.push(data);
      await stream.publish('orders', 'more');
    }
    expect(seen).toEqual([8, 9]);
    await drained(stream, 'orders', 'g');
  });

  it('rejects for an id that is not in the log', async () => {
    const { stream } = await filled();
    await expect(dataOf(stream.replay('orders', { from: { id: 'x' } }))).rejects.toBeInstanceOf(NotFoundError);
    await expect(dataOf(stream.replay('orders', { to: { id: 'x' } }))).rejects.toBeInstanceOf(NotFoundError);
  });

  it('stops with the reason of its signal', async () => {
    const { stream } = await filled();
    const controller = new AbortController();
    const reason = new Error('enough');
    const seen: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const { data } of stream.replay('orders', { signal: controller.signal })) {
        seen.push(data);
        if (data === 2) controller.abort(reason);
      }
    };
    await expect(reading()).rejects.toBe(reason);
    expect(seen).toEqual([0, 1, 2]);
  });

  it('checks the schema and ends with ValidationError where it does not match', async () => {
    const { stream } = await filled();
    const reading = dataOf(stream.replay('orders', { schema: z.number().max(4) }));
    await expect(reading).rejects.toBeInstanceOf(ValidationError);
  });

  it('refuses unknown options', async () => {
    const { stream } = await filled();
    expect(() => stream.replay('orders', { until: 1 } as never)).toThrow(ConfigurationError);
    expect(() => stream.replay('orders.*')).toThrow(ValidationError);
  });
});

describe('EventStream.lag', () => {
  it('counts waiting, running and retrying events', async () => {
    const clock = new TestClock();
    await using transport = inProcess({ clock });
    await using stream = new EventStream({ transport });
    await using consumer = await stream.consume('orders', { group: 'g', concurrency: 2 }, ({ data }) => {
      if (data === 0) throw new Error('later');
      return new Promise(() => undefined);
    });
    await stream.publishMany([0, 1, 2, 3].map((data) => ({ channel: 'orders', data })));
    await until(() => clock.pending === 1 && consumer.stats().running === 2);
    expect(await stream.lag('orders', 'g')).toBe(4);
    await consumer.close({ timeoutMs: 10 });
  });

  it('rejects with NotFoundError for a group or channel that does not exist', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    await stream.publish('orders', 1);
    await expect(stream.lag('orders', 'none')).rejects.toBeInstanceOf(NotFoundError);
    await expect(stream.lag('none', 'none')).rejects.toBeInstanceOf(NotFoundError);
  });
});
