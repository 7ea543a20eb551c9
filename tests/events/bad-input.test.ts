import { ConfigurationError, ValidationError } from '@safla/sdk/core';
import {
  EventBusIntegration,
  EventStream,
  type EventStreamOptions,
  type EventTransport,
  inProcess,
  redisStreams,
} from '@safla/sdk/events';
import { jetstream } from '@safla/sdk/events/jetstream';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newName } from './redis-support.js';
import { natsPlan, ServerProgram } from './soak/server-program.js';
import { deferred, drained, recorder, until } from './support.js';

let services: TestContainer;
let nats: ServerProgram;

beforeAll(async () => {
  [services, nats] = await Promise.all([
    TestContainer.start({ redis: { kinds: ['system', 'package'] } }),
    ServerProgram.start(natsPlan),
  ]);
});

afterAll(async () => {
  await Promise.all([services.stop(), nats[Symbol.asyncDispose]()]);
});

/** Whatever carries the events, what goes wrong ends the same way. */
const transports: readonly (readonly [string, () => EventTransport])[] = [
  ['inProcess', () => inProcess()],
  ['redisStreams', () => redisStreams({ url: services.redis.url, prefix: newName() })],
  [
    'jetstream',
    () =>
      jetstream({ servers: `nats://127.0.0.1:${nats.port}`, stream: newName(), subject: newName(), ackWaitMs: 1_000 }),
  ],
];

describe.each(transports)('bad input on %s', (_name, make) => {
  /** A stream that closes its transport with it. */
  function open(options: EventStreamOptions = {}): EventStream & AsyncDisposable {
    const transport = make();
    const stream = new EventStream({ transport, redelivery: { baseDelayMs: 1, maxDeliveries: 3 }, ...options });
    const close = stream.close.bind(stream);
    stream.close = async (settings) => {
      await close(settings);
      await transport.close();
    };
    return stream;
  }

  it('a handler that throws anything gets the event again, then it is a dead letter; the others go on', async () => {
    await using stream = open();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const thrown: readonly unknown[] = [new Error('no'), 'text', undefined, null, proxy, Object.create(null)];
    const attempts: number[] = [];
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g', from: 'start' }, async (event) => {
      if (typeof event.data !== 'number') return handler(event);
      attempts.push(event.attempt);
      throw thrown[event.data];
    });
    await stream.publishMany(thrown.map((_, index) => ({ channel: 'orders', data: index })));
    await stream.publish('orders', 'good');
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual(['good']);
    expect(attempts.sort()).toEqual([1, 2, 3].flatMap((attempt) => thrown.map(() => attempt)));
    const letters = await stream.deadLetters('orders').list();
    expect(letters.map(({ event }) => event.data).sort()).toEqual(thrown.map((_, index) => index));
    for (const { attempts: count, group } of letters) expect([count, group]).toEqual([3, 'g']);
  });

  it('a handler that never settles is cut off at its time, and the event comes again', async () => {
    await using stream = open();
    const attempts: number[] = [];
    const aborted: unknown[] = [];
    await using _consumer = await stream.consume(
      'orders',
      { group: 'g', from: 'start', timeoutMs: 50 },
      ({ attempt, signal }) => {
        attempts.push(attempt);
        signal.addEventListener('abort', () => aborted.push((signal.reason as Error).name));
        return attempt === 1 ? new Promise(() => undefined) : undefined;
      },
    );
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    expect(attempts).toEqual([1, 2]);
    expect(aborted).toEqual(['TimeoutError']);
  });

  it('a handler that returns after close changes nothing: the next consumer gets the event', async () => {
    await using stream = open();
    const gate = deferred();
    const { data, handler } = recorder();
    const consumer = await stream.consume('orders', { group: 'g', from: 'start' }, () => gate.promise);
    await stream.publish('orders', 1);
    await until(() => consumer.stats().running === 1);
    await consumer.close({ timeoutMs: 20 });
    gate.resolve();
    await gate.promise;
    expect(await stream.lag('orders', 'g')).toBe(1);
    await using _next = await stream.consume('orders', { group: 'g' }, handler);
    await drained(stream, 'orders', 'g');
    expect(data()).toEqual([1]);
  });

  it('a message that is no envelope is delivered as it is, marked; one that breaks the schema is a dead letter', async () => {
    await using stream = open();
    const bodies = ['{"specversion":"0.3","id":"1"}', 'not JSON {', '', '\u0000', '[1]'];
    await stream.transport.publish(
      bodies.map((body, index) => ({ channel: 'orders', id: `raw${index}`, body })),
      { dedupeWindowMs: 0 },
    );
    const { events, handler } = recorder();
    await using _any = await stream.consume('orders', { group: 'any', from: 'start' }, handler);
    const strict = recorder();
    const schema = z.array(z.number());
    await using _strict = await stream.consume('orders', { group: 'strict', from: 'start', schema }, strict.handler);
    await drained(stream, 'orders', 'any');
    await drained(stream, 'orders', 'strict');
    expect(events.map(({ data, envelope }) => [data, envelope])).toEqual([
      [{ specversion: '0.3', id: '1' }, undefined],
      ['not JSON {', undefined],
      ['', undefined],
      ['\u0000', undefined],
      [[1], undefined],
    ]);
    expect(strict.data()).toEqual([[1]]);
    const letters = await stream.deadLetters('orders').list({ group: 'strict' });
    expect(letters.map(({ attempts, event: { id } }) => [id, attempts]).sort()).toEqual(
      ['raw0', 'raw1', 'raw2', 'raw3'].map((id) => [id, 1]),
    );
  });

  it('a payload over the bound is refused, exactly at it taken, counted as UTF-8', async () => {
    const sizeOf = async (text: string): Promise<number> => {
      await using probe = open();
      const [event] = await probe.prepare([{ channel: 'orders', id: 'a', data: text }]);
      return Buffer.byteLength(event?.body ?? '');
    };
    const maxPayloadBytes = (await sizeOf('ä'.repeat(100))) + 10;
    await using stream = open({ maxPayloadBytes });
    await stream.publish('orders', 'ä'.repeat(100), { id: 'a' });
    const refused = stream.publish('orders', 'ä'.repeat(200), { id: 'b' });
    await expect(refused).rejects.toThrow(/more than maxPayloadBytes/);
    await expect(refused).rejects.toBeInstanceOf(ValidationError);
    const ids: string[] = [];
    for await (const { id } of stream.replay('orders')) ids.push(id);
    expect(ids).toEqual(['a']);
  });

  it.each(['', 'a*', 'a.**.b', 'a b', 7])('the pattern %j is refused before anything is joined', async (pattern) => {
    await using stream = open();
    await expect(stream.consume(pattern as string, { group: 'g' }, () => undefined)).rejects.toBeInstanceOf(
      ValidationError,
    );
    await expect(stream.publish(pattern as string, 1)).rejects.toBeInstanceOf(ValidationError);
  });

  it('a pattern that no channel matches waits for one', async () => {
    await using stream = open();
    const { data, handler } = recorder();
    await using _consumer = await stream.consume('nobody.*', { group: 'g', from: 'start' }, handler);
    await stream.publish('nobody.yet', 1);
    await until(() => data().length === 1);
    expect(data()).toEqual([1]);
  });

  it('a second consumer under the same group name shares its events: each goes to one of them', async () => {
    await using stream = open();
    const counts = new Map<unknown, number>();
    const count = ({ data }: { data: unknown }): void => {
      counts.set(data, (counts.get(data) ?? 0) + 1);
    };
    await using _first = await stream.consume('orders', { group: 'g', from: 'start', prefetch: 1 }, count);
    await using _second = await stream.consume('orders', { group: 'g', from: 'start', prefetch: 1 }, count);
    await stream.publishMany(Array.from({ length: 40 }, (_, data) => ({ channel: 'orders', data })));
    await drained(stream, 'orders', 'g');
    expect(counts.size).toBe(40);
    expect([...counts.values()].every((times) => times === 1)).toBe(true);
  });
});

describe('addresses of events', () => {
  const wrong = ['', 'nonsense', 'http://localhost', 'amqp://user:hunter2@localhost', 'nats://localhost', 'redis//x'];

  it.each(wrong)('%j is refused by every class that takes one, without its credentials', (url) => {
    const makers = [
      () => new EventBusIntegration(url),
      () => new EventBusIntegration({ url }),
      () => new EventStream({ url }),
      () => redisStreams({ url }),
    ];
    for (const make of makers) {
      let error: unknown;
      try {
        make();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(String(error)).not.toContain('hunter2');
    }
  });

  it.each(['', 'nats://', 'redis://h:6379', 'tls://h', 'nats://user:hunter2@h', 'a b', [], ['nats://h', 5]])(
    'jetstream refuses %j and says where credentials and TLS go',
    (servers) => {
      const make = (): EventTransport => jetstream({ servers: servers as string });
      expect(make).toThrow(ConfigurationError);
      expect(make).toThrow(/nats:\/\/127.0.0.1:4222.*connect/);
      expect(make).not.toThrow(/hunter2/);
    },
  );

  it.each(['h', 'h:4222', 'nats://h', 'nats://[::1]:4222/', ['nats://a:1', 'b:2']])(
    'jetstream takes %j',
    async (servers) => {
      await using transport = jetstream({ servers });
      expect(transport.capabilities.durable).toBe(true);
    },
  );
});

describe('wrong use of events', () => {
  it.each([{}, { publish: () => undefined }, redisPubSubLike()])(
    'what is no transport is refused where it is given',
    (transport) => {
      expect(() => new EventStream({ transport: transport as EventTransport })).toThrow(
        /must be an EventTransport: inProcess/,
      );
    },
  );

  it('a bus refuses what cannot broadcast', () => {
    const transport = { publish: () => undefined } as never;
    expect(() => new EventBusIntegration({ transport })).toThrow(/must be a BroadcastTransport: inProcess/);
  });

  it.each([
    ['a misspelt id', { ID: 'a' }, /options\.ID: is not known; did you mean 'id'/],
    ['no object', 'a', /must be an object/],
    ['null', null, /must be an object/],
  ])(
    'publish refuses %s as options: the event would lose its dedupe without a word',
    async (_what, options, message) => {
      await using stream = new EventStream({ url: 'memory:' });
      const publishing = stream.publish('orders', 1, options as never);
      await expect(publishing).rejects.toThrow(message);
      await expect(publishing).rejects.toBeInstanceOf(ValidationError);
    },
  );

  it.each([
    ['no list', { channel: 'orders', data: 1 }, /must be a list/],
    ['null in it', [null], /0: must be an object/],
    [
      'a misspelt field',
      [
        { channel: 'orders', data: 1 },
        { channel: 'orders', data: 1, Key: 'k' },
      ],
      /1\.Key: is not known/,
    ],
  ])('publishMany and prepare refuse %s, and store nothing', async (_what, drafts, message) => {
    await using stream = new EventStream({ url: 'memory:' });
    await expect(stream.publishMany(drafts as never)).rejects.toThrow(message);
    await expect(stream.prepare(drafts as never)).rejects.toThrow(message);
    for await (const { id } of stream.replay('orders')) expect.unreachable(id);
  });
});

function redisPubSubLike(): object {
  return { name: 'bus', broadcast: () => undefined, listen: () => undefined, close: () => undefined };
}
