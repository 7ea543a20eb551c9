import { setTimeout as sleep } from 'node:timers/promises';
import { withContext } from '@safla/sdk/core';
import { EventStream, redisStreams } from '@safla/sdk/events';
import { CloudEvent } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newName, ownRedis } from './redis-support.js';
import { drained, recorder, until } from './support.js';

const server = ownRedis();

const logOf = (prefix: string): string => `{${prefix}:orders:0}:log`;

/** The entries of a log as their fields. */
async function entriesOf(prefix: string): Promise<Record<string, string>[]> {
  const entries = await server.client.xrange(logOf(prefix), '-', '+');
  return entries.map(([, fields]) => {
    const pairs = Array.from({ length: fields.length / 2 }, (_, at) => [fields[2 * at], fields[2 * at + 1]] as const);
    return Object.fromEntries(pairs) as Record<string, string>;
  });
}

describe('events in the binary mode of CloudEvents', () => {
  const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
  const draft = fc.record({ id: name, data: fc.jsonValue(), key: name }, { requiredKeys: ['id', 'data'] });

  it('come back as they were, with any id, key and data, whatever stands before them in the batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(draft, { selector: ({ id }) => id, minLength: 1, maxLength: 8 }),
        async (drafts) => {
          await using transport = redisStreams({ client: server.client, prefix: newName() });
          await using stream = new EventStream({ transport, source: '/läden' });
          const publish = () => stream.publishMany(drafts.map((event) => ({ channel: 'orders', ...event })));
          await (drafts.length % 2 ? publish() : withContext({ correlationId: 'c-1' }, publish));
          const { events, handler } = recorder();
          await using _consumer = await stream.consume('orders', { group: 'g', from: 'start' }, handler);
          await until(() => events.length === drafts.length);
          for (const [index, { id, key, data }] of drafts.entries()) {
            const event = events[index];
            expect([event?.id, event?.key]).toEqual([id, key]);
            expect(event?.data).toEqual(JSON.parse(JSON.stringify(data)));
            expect(event?.envelope).toMatchObject({ specversion: '1.0', id, source: '/läden', type: 'orders' });
            expect(event?.envelope?.data).toEqual(event?.data);
            expect(event?.envelope?.partitionkey).toBe(key);
            expect(event?.envelope?.correlationid).toBe(drafts.length % 2 ? undefined : 'c-1');
            expect(event?.time.toISOString()).toBe(event?.envelope?.time);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('are read from their fields by the cloudevents package', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix });
    await using stream = new EventStream({ transport, source: '/shop' });
    await withContext({ correlationId: 'c-1' }, () => stream.publish('orders', { total: 1 }, { id: 'a', key: 'k' }));
    const [fields] = await entriesOf(prefix);
    const { id, key: partitionkey, attributes = '', body = '' } = fields ?? {};
    const event = new CloudEvent({ ...JSON.parse(attributes), id, partitionkey, data: JSON.parse(body) });
    expect(event.validate()).toBe(true);
    expect(event).toMatchObject({ id: 'a', source: '/shop', type: 'orders', partitionkey: 'k', correlationid: 'c-1' });
    expect(event.data).toEqual({ total: 1 });
  });

  it('stand beside events in the structured mode, of another version or of an outbox', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix });
    await using stream = new EventStream({ transport });
    await stream.publish('orders', 1, { id: 'a' });
    await stream.publishPrepared(await stream.prepare([{ channel: 'orders', data: 2, id: 'b', key: 'k' }]));
    await stream.publish('orders', 3, { id: 'c' });
    const fields = await entriesOf(prefix);
    expect(fields.map((entry) => Object.keys(entry))).toEqual([
      ['id', 'attributes', 'body'],
      ['id', 'key', 'body'],
      ['id', 'attributes', 'body'],
    ]);
    const { events, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g', from: 'start' }, handler);
    await until(() => events.length === 3);
    expect(events.map(({ id, key, data, envelope }) => [id, key, data, envelope?.type])).toEqual([
      ['a', undefined, 1, 'orders'],
      ['b', 'k', 2, 'orders'],
      ['c', undefined, 3, 'orders'],
    ]);
  });

  it('keep their envelope through failure, dead letter and requeue', async () => {
    await using transport = redisStreams({ client: server.client, prefix: newName() });
    await using stream = new EventStream({ transport, redelivery: { maxDeliveries: 2, baseDelayMs: 1 } });
    const envelopes: unknown[] = [];
    let fails = true;
    await using _consumer = await stream.consume('orders', { group: 'g' }, ({ envelope }) => {
      envelopes.push(envelope);
      if (fails) throw new Error('no stock');
    });
    await withContext({ correlationId: 'c-9' }, () => stream.publish('orders', { total: 1 }, { id: 'a', key: 'k' }));
    await until(async () => (await stream.deadLetters('orders').list()).length === 1);
    const [letter] = await stream.deadLetters('orders').list();
    expect(letter?.event).toMatchObject({ id: 'a', key: 'k', envelope: { correlationid: 'c-9' } });
    fails = false;
    await stream.deadLetters('orders').requeue();
    await until(() => envelopes.length === 3);
    expect(new Set(envelopes.map((envelope) => JSON.stringify(envelope))).size).toBe(1);
    expect(envelopes[0]).toMatchObject({ correlationid: 'c-9', partitionkey: 'k', data: { total: 1 } });
  });

  it('with attributes that another program spoiled are messages without an envelope', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix, pollMs: 30 });
    await using stream = new EventStream({ transport });
    const { events, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    await server.client.xadd(logOf(prefix), '*', 'id', 'a', 'attributes', 'spoiled', 'body', '{"total":1}');
    await server.client.xadd(logOf(prefix), '*', 'id', 'b', 'attributes', '{"specversion":"1.0"}', 'body', 'text');
    await until(() => events.length === 2);
    expect(events.map(({ data, envelope }) => [data, envelope])).toEqual([
      [{ total: 1 }, undefined],
      ['text', undefined],
    ]);
  });
});

describe('a log on Redis that others touch', () => {
  it('drops what every group has settled and is older than maxAgeMs, and keeps what is owed', async () => {
    const prefix = newName();
    // Redis 7 trims whole nodes of at most 100 entries.
    const ids = Array.from({ length: 300 }, (_, index) => ({ channel: 'orders', id: `e-${index}`, data: index }));
    await using slow = new EventStream({ transport: redisStreams({ client: server.client, prefix, maxAgeMs: 1 }) });
    await using owing = await slow.consume(
      'orders',
      { group: 'owing', prefetch: 1 },
      () => new Promise(() => undefined),
    );
    await slow.publishMany(ids);
    await sleep(5);
    await using other = new EventStream({ transport: redisStreams({ client: server.client, prefix, maxAgeMs: 1 }) });
    await other.publish('orders', 'owed');
    expect(await server.client.xlen(logOf(prefix))).toBe(301);
    await owing.close({ timeoutMs: 0 });
    await slow.deleteGroup('orders', 'owing');
    await using third = new EventStream({ transport: redisStreams({ client: server.client, prefix, maxAgeMs: 1 }) });
    await third.publish('orders', 'free');
    expect(await server.client.xlen(logOf(prefix))).toBeLessThan(102);
    for (const stream of [slow, other, third]) await stream.transport.close();
  });

  it('shares a group with a consumer of another program, and takes over what that one left', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix, deadAfterMs: 90, pollMs: 20 });
    await using stream = new EventStream({ transport });
    const { data, handler } = recorder();
    const first = await stream.consume('orders', { group: 'g', from: 'start' }, handler);
    await first.close();
    await stream.publishMany([1, 2, 3].map((number) => ({ channel: 'orders', data: number, id: `e-${number}` })));
    const taken = await server.client.xreadgroup('GROUP', 'g', 'theirs', 'COUNT', 2, 'STREAMS', logOf(prefix), '>');
    const [[, [done]]] = taken as [[string, [[string, string[]]]]];
    await server.client.xack(logOf(prefix), 'g', done?.[0] ?? '');
    await using _second = await stream.consume('orders', { group: 'g' }, handler);
    await until(() => data().length === 2);
    expect(data().toSorted()).toEqual([2, 3]);
    await drained(stream, 'orders', 'g');
  });

  it('goes on where it was when Redis lost the group under a running consumer', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix, deadAfterMs: 90, pollMs: 20 });
    await using stream = new EventStream({ transport });
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    await stream.publish('orders', 1);
    await until(() => data().length === 1);
    await drained(stream, 'orders', 'g');
    await server.client.xgroup('DESTROY', logOf(prefix), 'g');
    await stream.publish('orders', 2);
    await until(() => data().length === 2);
    expect(data()).toEqual([1, 2]);
  });
});
