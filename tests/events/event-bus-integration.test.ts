import { ClosedError, ConfigurationError, ValidationError } from '@safla/sdk/core';
import { type BroadcastReceiver, type BroadcastTransport, EventBusIntegration, inProcess } from '@safla/sdk/events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deferred, until } from './support.js';

interface Seen {
  readonly channel: string;
  readonly event: unknown;
}

function listen(bus: EventBusIntegration): Seen[] {
  const seen: Seen[] = [];
  bus.on('event', (event) => {
    seen.push(event);
  });
  return seen;
}

/** A real transport with another way to listen. */
function transportOn(transport: BroadcastTransport, listenTo: BroadcastTransport['listen']): BroadcastTransport {
  return {
    name: 'test transport',
    broadcast: (channel, message) => transport.broadcast(channel, message),
    listen: listenTo,
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

describe('EventBusIntegration', () => {
  it("works in the seed's form: a URL, channels, and 'event' with channel and event", async () => {
    const bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['safla.memory.update', 'safla.agent.task']);
    await bus.publish('safla.agent.task', { id: 1 });
    await bus.publish('other', { id: 2 });
    await bus.unsubscribe(['safla.agent.task']);
    await bus.publish('safla.agent.task', { id: 3 });
    await bus.close();
    expect(seen).toEqual([{ channel: 'safla.agent.task', event: { id: 1 } }]);
  });

  it('connects the buses that share one inProcess() and isolates the others', async () => {
    await using shared = inProcess();
    await using first = new EventBusIntegration({ transport: shared });
    await using second = new EventBusIntegration({ transport: shared });
    await using stranger = new EventBusIntegration({ url: 'memory:' });
    const [seen, strange] = [listen(second), listen(stranger)];
    await second.subscribe(['a']);
    await stranger.subscribe(['a']);
    await first.publish('a', 'hello');
    expect(seen).toEqual([{ channel: 'a', event: 'hello' }]);
    expect(strange).toEqual([]);
  });

  it('says in the receipt how many buses got the event', async () => {
    await using shared = inProcess();
    await using first = new EventBusIntegration({ transport: shared });
    await using second = new EventBusIntegration({ transport: shared });
    expect(await first.publish('a', 1)).toEqual({ channel: 'a', receivers: 0 });
    await first.subscribe(['a']);
    await first.subscribe(['a']);
    await second.subscribe(['a']);
    expect(await first.publish('a', 1)).toEqual({ channel: 'a', receivers: 2 });
  });

  it('keeps a channel that was subscribed twice and unsubscribed once', async () => {
    await using bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await bus.subscribe(['a']);
    await bus.unsubscribe(['a']);
    await bus.publish('a', 1);
    expect(seen).toHaveLength(1);
    await bus.unsubscribe(['a']);
    expect(await bus.publish('a', 2)).toMatchObject({ receivers: 0 });
    expect(seen).toHaveLength(1);
  });

  it('counts a channel named twice in one call once', async () => {
    await using bus = new EventBusIntegration('memory:');
    await bus.subscribe(['a', 'a']);
    await bus.unsubscribe(['a']);
    expect(await bus.publish('a', 1)).toMatchObject({ receivers: 0 });
  });

  it('does nothing for an empty list', async () => {
    await using bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await bus.subscribe([]);
    await bus.unsubscribe([]);
    await bus.publish('a', 1);
    expect(seen).toHaveLength(1);
  });

  it('ignores unsubscribing a channel that was never subscribed', async () => {
    await using bus = new EventBusIntegration('memory:');
    await bus.unsubscribe(['never']);
    await bus.subscribe(['never']);
    expect(await bus.publish('never', 1)).toMatchObject({ receivers: 1 });
  });

  it('gives every receiver a copy of its own', async () => {
    await using shared = inProcess();
    await using first = new EventBusIntegration({ transport: shared });
    await using second = new EventBusIntegration({ transport: shared });
    const [one, two] = [listen(first), listen(second)];
    await first.subscribe(['a']);
    await second.subscribe(['a']);
    const event = { list: [1] };
    const published = first.publish('a', event);
    event.list.push(2);
    await published;
    expect(one[0]?.event).toEqual({ list: [1] });
    expect(one[0]?.event).not.toBe(two[0]?.event);
    expect(one[0]?.event).not.toBe(event);
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each([
    ['undefined', undefined],
    ['a BigInt', 1n],
    ['a cycle', circular],
    ['a function', () => 1],
    ['a nested function', { run: () => 1 }],
    ['a symbol', { key: Symbol('x') }],
    ['NaN', [Number.NaN]],
    ['undefined in an array', [undefined]],
    ['a Map', { map: new Map([[1, 2]]) }],
    ['a toJSON without a value', { toJSON: () => undefined }],
    ['a toJSON that gives NaN', { toJSON: () => Number.NaN }],
    ['an invalid date', { at: new Date(Number.NaN) }],
    ['bytes', { bytes: new Uint8Array([1]) }],
    ['an Error', { error: new Error('no') }],
    ['a RegExp', { pattern: /x/ }],
    ['a Promise', { later: Promise.resolve(1) }],
    ['URLSearchParams', new URLSearchParams('a=1')],
  ])('refuses %s with ValidationError and sends nothing', async (_, event) => {
    await using bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await expect(bus.publish('a', event)).rejects.toBeInstanceOf(ValidationError);
    expect(seen).toEqual([]);
  });

  it('names the path of what JSON cannot carry, and leaves undefined properties out', async () => {
    await using bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await expect(bus.publish('a', { list: [{ f: () => 1 }] })).rejects.toMatchObject({
      issues: [{ path: ['list', 0, 'f'] }],
    });
    await bus.publish('a', { kept: 1, left: undefined, at: new Date(0) });
    expect(seen[0]?.event).toStrictEqual({ kept: 1, at: '1970-01-01T00:00:00.000Z' });
  });

  it('takes an event that holds the same object twice', async () => {
    await using bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['a']);
    const shared = { n: 1 };
    await bus.publish('a', { one: shared, list: [shared, shared] });
    expect(seen[0]?.event).toEqual({ one: { n: 1 }, list: [{ n: 1 }, { n: 1 }] });
  });

  it('refuses an event longer than maxPayloadBytes, counted in UTF-8', async () => {
    await using bus = new EventBusIntegration({ url: 'memory:', maxPayloadBytes: 10 });
    await expect(bus.publish('a', 'ääääää')).rejects.toBeInstanceOf(ValidationError);
    expect(await bus.publish('a', 'ääää')).toMatchObject({ channel: 'a' });
  });

  it('reports a handler that throws or rejects, and goes on with the other handlers and events', async () => {
    await using bus = new EventBusIntegration('memory:');
    const failures: unknown[] = [];
    bus.on('handlerError', ({ error }) => {
      failures.push(error);
    });
    bus.on('event', () => {
      throw new Error('sync');
    });
    bus.on('event', async () => {
      throw new Error('async');
    });
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await bus.publish('a', 1);
    await bus.publish('a', 2);
    expect(seen).toHaveLength(2);
    expect(failures.map(String)).toEqual(['Error: sync', 'Error: async', 'Error: sync', 'Error: async']);
  });

  it('survives a handlerError listener that throws', async () => {
    await using bus = new EventBusIntegration('memory:');
    let calls = 0;
    bus.on('handlerError', () => {
      calls += 1;
      throw new Error('again');
    });
    bus.on('event', () => {
      throw new Error('first');
    });
    await bus.subscribe(['a']);
    await bus.publish('a', 1);
    expect(calls).toBe(1);
  });

  it('reports what is not JSON as decodeError, apart from handler errors', async () => {
    await using shared = inProcess();
    await using bus = new EventBusIntegration({ transport: shared });
    const errors: unknown[] = [];
    bus.on('decodeError', ({ error }) => {
      errors.push(error);
    });
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await shared.broadcast('a', '{broken');
    await shared.broadcast('a', '1');
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(SyntaxError);
    expect(seen).toEqual([{ channel: 'a', event: 1 }]);
  });

  it('checks schemas at both ends and emits what the schema gives', async () => {
    await using shared = inProcess();
    await using bus = new EventBusIntegration({
      transport: shared,
      schemas: { order: z.object({ id: z.coerce.number() }) },
    });
    const errors: unknown[] = [];
    bus.on('decodeError', ({ error }) => {
      errors.push(error);
    });
    const seen = listen(bus);
    await bus.subscribe(['order']);
    await expect(bus.publish('order', { id: 'x' })).rejects.toBeInstanceOf(ValidationError);
    await shared.broadcast('order', '{"id":{}}');
    await bus.publish('order', { id: '7' });
    expect(errors).toHaveLength(1);
    expect(seen).toEqual([{ channel: 'order', event: { id: 7 } }]);
  });

  it('runs listeners outside of the publish call', async () => {
    await using bus = new EventBusIntegration('memory:');
    const order: string[] = [];
    bus.on('event', () => {
      order.push('handled');
    });
    await bus.subscribe(['a']);
    const published = bus.publish('a', 1);
    order.push('published');
    await published;
    expect(order).toEqual(['published', 'handled']);
  });

  it('closes once, refuses calls afterwards and emits nothing more', async () => {
    await using shared = inProcess();
    const bus = new EventBusIntegration({ transport: shared });
    const seen = listen(bus);
    await bus.subscribe(['a']);
    await Promise.all([bus.close(), bus.close()]);
    await bus.close();
    for (const call of [bus.publish('a', 1), bus.subscribe(['a']), bus.unsubscribe(['a'])]) {
      await expect(call).rejects.toBeInstanceOf(ClosedError);
    }
    expect(await shared.broadcast('a', '1')).toBe(0);
    expect(seen).toEqual([]);
  });

  it('rejects with the reason of a signal that has aborted, and sends nothing', async () => {
    await using bus = new EventBusIntegration('memory:');
    const seen = listen(bus);
    await bus.subscribe(['a']);
    const reason = new Error('enough');
    await expect(bus.publish('a', 1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(seen).toEqual([]);
  });

  it.each(['amqp://localhost:5672', 'nonsense', ''])('refuses the URL %j and names what works', (url) => {
    expect(() => new EventBusIntegration(url)).toThrow(ConfigurationError);
    expect(() => new EventBusIntegration(url)).toThrow(/memory:/);
  });

  it('does not put the credentials of a refused URL into the error', () => {
    const construct = (): unknown => new EventBusIntegration('amqp://user:hunter2@localhost');
    expect(construct).toThrow(ConfigurationError);
    expect(construct).not.toThrow(/hunter2/);
  });

  it('refuses unknown options, and neither or both of url and transport', () => {
    const unknown = { url: 'memory:', schema: {} } as never;
    expect(() => new EventBusIntegration(unknown)).toThrow(/schemas/);
    expect(() => new EventBusIntegration({})).toThrow(ConfigurationError);
    expect(() => new EventBusIntegration({ url: 'memory:', transport: inProcess() })).toThrow(ConfigurationError);
  });

  it.each([
    ['a text instead of a list', 'a'],
    ['an empty name', ['']],
    ['a number', [1]],
  ])('refuses to subscribe %s', async (_, channels) => {
    await using bus = new EventBusIntegration('memory:');
    await expect(bus.subscribe(channels as never)).rejects.toBeInstanceOf(ValidationError);
  });

  it('subscribes all channels or none when the transport fails', async () => {
    await using shared = inProcess();
    const refusing = transportOn(shared, async (channel, receive) => {
      if (channel === 'bad') throw new Error('no');
      return shared.listen(channel, receive);
    });
    await using bus = new EventBusIntegration({ transport: refusing });
    await expect(bus.subscribe(['good', 'bad'])).rejects.toThrow('no');
    expect(await bus.publish('good', 1)).toMatchObject({ receivers: 0 });
  });

  it.each<[string, (abort: AbortController) => { signal?: AbortSignal; timeoutMs?: number }]>([
    ['timed out', () => ({ timeoutMs: 5 })],
    ['was aborted', ({ signal }) => ({ signal })],
  ])(
    'is subscribed to nothing after a subscribe that %s, also when the transport answers later',
    async (_, options) => {
      await using shared = inProcess();
      const { promise: answer, resolve: answerNow } = deferred();
      let ended = 0;
      const slow = transportOn(shared, async (channel, receive) => {
        const stop = await shared.listen(channel, receive);
        if (channel === 'slow') await answer;
        return async () => {
          ended += 1;
          await stop();
        };
      });
      await using bus = new EventBusIntegration({ transport: slow });
      await bus.subscribe(['kept']);
      const abort = new AbortController();
      const subscribing = bus.subscribe(['fast', 'slow', 'kept'], options(abort));
      abort.abort(new Error('enough'));
      await expect(subscribing).rejects.toThrow(/enough|5 ms/);
      answerNow();
      await until(() => ended === 2);
      expect(await bus.publish('fast', 1)).toMatchObject({ receivers: 0 });
      expect(await bus.publish('slow', 1)).toMatchObject({ receivers: 0 });
      expect(await bus.publish('kept', 1)).toMatchObject({ receivers: 1 });
    },
  );

  it('emits nothing that was still on its way when the channel was unsubscribed', async () => {
    await using shared = inProcess();
    const late: BroadcastReceiver[] = [];
    const lagging = transportOn(shared, async (_, receive) => {
      late.push(receive);
      return async () => undefined;
    });
    await using bus = new EventBusIntegration({ transport: lagging });
    const seen = listen(bus);
    await bus.subscribe(['a']);
    for (const receive of late) receive('1');
    await bus.unsubscribe(['a']);
    await bus.subscribe(['a']);
    for (const receive of late) receive('2');
    expect(seen.map(({ event }) => event)).toEqual([1, 2]);
  });
});
