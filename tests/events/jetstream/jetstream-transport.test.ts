import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import { connect, headers } from '@nats-io/transport-node';
import {
  AccessDeniedError,
  ClosedError,
  ConfigurationError,
  ConnectionError,
  QueueFullError,
  ValidationError,
} from '@safla/sdk/core';
import { EventStream, type ReceivedEvent } from '@safla/sdk/events';
import { type JetStreamOptions, type JetStreamTransport, jetstream } from '@safla/sdk/events/jetstream';
import { FaultProxy } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { natsPlan, ServerProgram } from '../soak/server-program.js';
import { deferred, drained, recorder, until } from '../support.js';

let server: ServerProgram;
let made = 0;

beforeAll(async () => {
  server = await ServerProgram.start(natsPlan);
});

afterAll(() => server[Symbol.asyncDispose]());

function open(options: Partial<JetStreamOptions> = {}, at: ServerProgram = server): JetStreamTransport {
  made += 1;
  const transport = jetstream({
    ...(options.connection ? {} : { servers: `nats://127.0.0.1:${at.port}` }),
    stream: `E${made}`,
    subject: `e${made}`,
    ...options,
  });
  onTestFinished(() => transport.close().catch(() => undefined));
  return transport;
}

/** The ids on the channel of a log. */
async function idsIn(stream: EventStream, channel: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of stream.replay(channel)) ids.push(id);
  return ids;
}

describe('jetstream', () => {
  it.each([
    ['neither servers nor connection', { servers: undefined }, 'jetstream.servers'],
    ['both', { connection: () => Promise.reject(new Error('no')) }, 'jetstream.servers'],
    ['a stream that NATS cannot name', { stream: 'a.b' }, 'jetstream.stream'],
    ['a subject with a wildcard', { subject: 'a.*' }, 'jetstream.subject'],
    ['an unknown option', { server: 'x' }, 'jetstream.server'],
    ['a time of zero', { ackWaitMs: 0 }, 'jetstream.ackWaitMs'],
    ['a time without end', { ackWaitMs: Number.POSITIVE_INFINITY }, 'jetstream.ackWaitMs'],
  ])('refuses %s when it is made', (_, options, field) => {
    const make = () => jetstream({ servers: 'nats://127.0.0.1:4222', ...options } as JetStreamOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIGURATION', field }));
  });

  it('carries a stream: groups, patterns, redelivery, dead letters and their way back, replay, lag', async () => {
    const transport = open();
    await using events = new EventStream({ transport, redelivery: { maxDeliveries: 2, baseDelayMs: 1 } });
    const seen: ReceivedEvent[] = [];
    let broken = true;
    await using _consumer = await events.consume('order.*', { group: 'all ä.*>' }, (event) => {
      if (event.id === 'bad' && broken) throw new Error('broken');
      seen.push(event);
    });
    await events.publish('order.paid', { total: 1 }, { id: 'good', key: 'k' });
    await events.publish('order.sent', { total: 2 }, { id: 'bad' });
    const again = await events.publish('order.paid', { total: 1 }, { id: 'good' });
    expect(again.duplicate).toBe(true);
    const letters = events.deadLetters('order.sent');
    await until(async () => (await letters.list()).length === 1);
    expect(await letters.list()).toMatchObject([
      { group: 'all ä.*>', attempts: 2, reason: 'Error: broken', event: { id: 'bad', data: { total: 2 } } },
    ]);
    broken = false;
    expect(await letters.requeue()).toBe(1);
    await until(() => seen.length === 2);
    expect(seen.map(({ id, channel, key, attempt, data }) => ({ id, channel, key, attempt, data }))).toEqual([
      { id: 'good', channel: 'order.paid', key: 'k', attempt: 1, data: { total: 1 } },
      { id: 'bad', channel: 'order.sent', key: undefined, attempt: 1, data: { total: 2 } },
    ]);
    expect(await letters.list()).toEqual([]);
    expect(await idsIn(events, 'order.paid')).toEqual(['good']);
  });

  it('delivers what others publish to its subjects as it is, marked by the missing envelope', async () => {
    const transport = open();
    await using events = new EventStream({ transport });
    const { events: seen, handler } = recorder();
    await using _consumer = await events.consume('orders', { group: 'g' }, handler);
    const nats = await connect({ servers: `nats://127.0.0.1:${server.port}` });
    const named = headers();
    named.set('Nats-Msg-Id', 'theirs');
    nats.publish(`e${made}.orders`, '{"by":"hand"}');
    nats.publish(`e${made}.orders`, 'plain text', { headers: named });
    await nats.drain();
    await until(() => seen.length === 2);
    expect(seen.map(({ id, data, envelope }) => ({ id, data, envelope }))).toEqual([
      { id: 'sequence-1', data: { by: 'hand' }, envelope: undefined },
      { id: 'theirs', data: 'plain text', envelope: undefined },
    ]);
  });

  it('goes on after its server was killed: nothing lost, and nothing handled again that was done', async () => {
    await using own = await ServerProgram.start(natsPlan);
    const transport = open({ ackWaitMs: 2_000, requestTimeoutMs: 1_000 }, own);
    await using events = new EventStream({ transport });
    const handled = new Map<string, number>();
    await using _consumer = await events.consume('orders', { group: 'g', concurrency: 8 }, ({ id }) => {
      handled.set(id, (handled.get(id) ?? 0) + 1);
    });
    for (let round = 0; round < 3; round++) {
      const drafts = Array.from({ length: 200 }, (_, n) => ({ channel: 'orders', data: n, id: `${round}-${n}` }));
      await events.publishMany(drafts);
      await own.kill();
      await own.run();
    }
    await until(() => handled.size === 600);
    await drained(events, 'orders', 'g');
    expect([...handled.values()].filter((times) => times !== 1)).toEqual([]);
  });

  it('keeps an event for a handler that works longer than ackWaitMs', async () => {
    const transport = open({ ackWaitMs: 300 });
    await using events = new EventStream({ transport });
    await using other = new EventStream({ transport });
    const attempts: number[] = [];
    const done = deferred();
    const handler = async ({ attempt }: ReceivedEvent): Promise<void> => {
      attempts.push(attempt);
      await done.promise;
    };
    await using _one = await events.consume('orders', { group: 'g' }, handler);
    await using _two = await other.consume('orders', { group: 'g' }, handler);
    await events.publish('orders', 1);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    done.resolve();
    await drained(events, 'orders', 'g');
    expect(attempts).toEqual([1]);
  });

  it('says what is wrong: nobody listens, no JetStream, a window, an event or a log that is too large', async () => {
    const nobody = open({ servers: 'nats://127.0.0.1:1', requestTimeoutMs: 500, timeoutMs: 500 });
    await expect(new EventStream({ transport: nobody }).publish('orders', 1)).rejects.toThrow(ConnectionError);

    await using plain = await ServerProgram.start({
      file: 'nats-server',
      args: (port) => ['-a', '127.0.0.1', '-p', String(port)],
    });
    const without = new EventStream({ transport: open({ requestTimeoutMs: 1_000 }, plain) });
    await expect(without.publish('orders', 1)).rejects.toThrow(/JetStream is not enabled.*-js/);

    await using guarded = await ServerProgram.start({
      file: 'nats-server',
      args: (port, folder) => [
        '-js',
        '-a',
        '127.0.0.1',
        '-p',
        String(port),
        '-sd',
        folder,
        '--user',
        'u',
        '--pass',
        'p',
      ],
    });
    const outside = new EventStream({ transport: open({ connect: { user: 'u', pass: 'canary' } }, guarded) });
    const denied = await outside.publish('orders', 1).catch((error: unknown) => error);
    expect(denied).toBeInstanceOf(AccessDeniedError);
    expect(inspect(denied)).not.toContain('canary');

    const brief = new EventStream({ transport: open({ dedupeWindowMs: 1_000 }), dedupe: { windowMs: 2_000 } });
    await expect(brief.publish('orders', 1)).rejects.toThrow(/remembers ids for 1000 ms.*2000/);

    const wide = new EventStream({ transport: open(), maxPayloadBytes: 10_000_000 });
    await expect(wide.publish('orders', 'x'.repeat(2_000_000))).rejects.toThrow(ValidationError);

    const small = new EventStream({ transport: open({ maxBytes: 2_000 }) });
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) await small.publish('orders', 'x'.repeat(200));
    };
    await expect(fill()).rejects.toThrow(QueueFullError);
  });

  it('gives up in time while its server is away, also when the clock of the host goes back', async () => {
    await using own = await ServerProgram.start(natsPlan);
    const transport = open({ timeoutMs: 1_000, requestTimeoutMs: 200 }, own);
    await using events = new EventStream({ transport });
    await events.publish('orders', 1, { id: 'a' });
    await own.kill();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const publishing = events.publish('orders', 2, { id: 'b' });
    vi.setSystemTime(Date.now() - 3_600_000);
    await expect(publishing).rejects.toMatchObject({ code: expect.stringMatching(/^(?:TIMEOUT|CONNECTION)$/) });
  });

  it('refuses streams of others under its name', async () => {
    const transport = open({ stream: 'MINE', subject: 'mine' });
    await new EventStream({ transport }).publish('orders', 1);
    const other = open({ stream: 'MINE', subject: 'yours' });
    await expect(new EventStream({ transport: other }).publish('orders', 1)).rejects.toThrow(ConfigurationError);
  });

  it('deletes a group only when nobody consumes it, and begins anew afterwards', async () => {
    const transport = open();
    await using events = new EventStream({ transport });
    const first = recorder();
    const consumer = await events.consume('orders', { group: 'g', from: 'start' }, first.handler);
    await events.publish('orders', 1);
    await until(() => first.events.length === 1);
    await drained(events, 'orders', 'g');
    await expect(events.deleteGroup('orders', 'g')).rejects.toThrow(ConfigurationError);
    await consumer.close();
    expect(await events.deleteGroup('orders', 'g')).toBe(true);
    expect(await events.deleteGroup('orders', 'g')).toBe(false);
    await expect(events.lag('orders', 'g')).rejects.toThrow(/no group 'g'/);
    const second = recorder();
    await using _again = await events.consume('orders', { group: 'g', from: 'start' }, second.handler);
    await until(() => second.events.length === 1);
  });

  it('uses a connection of the host, asked for once, and leaves it open', async () => {
    const nats = await connect({ servers: `nats://127.0.0.1:${server.port}` });
    let asked = 0;
    const transport = open({
      connection: async () => {
        asked += 1;
        return nats;
      },
    });
    const events = new EventStream({ transport });
    await Promise.all([events.publish('orders', 1), events.publish('orders', 2)]);
    expect(await transport.health()).toEqual({ status: 'pass', latencyMs: expect.any(Number) });
    await transport.close();
    expect([asked, nats.isClosed()]).toEqual([1, false]);
    await nats.close();
    expect(await transport.health()).toMatchObject({ status: 'fail' });
  });

  it('leaves no connection behind that was still being opened when it was closed', async () => {
    const proxy = await FaultProxy.start({ target: `nats://127.0.0.1:${server.port}` });
    onTestFinished(() => proxy.close());
    const transport = open({ servers: proxy.url });
    const publishing = transport.publish([{ channel: 'orders', id: 'a', body: '{}' }], { dedupeWindowMs: 0 });
    const refused = expect(publishing).rejects.toThrow(ClosedError);
    await transport.close({ timeoutMs: 0 });
    await refused;
    await until(() => proxy.connections.accepted > 0 && proxy.connections.open === 0);
  });

  it('closes in time while its server is frozen, and leaves no listener on the signals of callers', async () => {
    await using own = await ServerProgram.start(natsPlan);
    const transport = open({ requestTimeoutMs: 1_000 }, own);
    const events = new EventStream({ transport });
    const consumer = await events.consume('orders', { group: 'g' }, () => undefined);
    const { signal } = new AbortController();
    await events.publish('orders', 1, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const frozen = own.freeze(4_000);
    // The signal reaches its process a moment later.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const publish = expect(events.publish('orders', 2, { signal: AbortSignal.timeout(100) })).rejects.toThrow(
      /timeout/i,
    );
    await publish;
    const before = Date.now();
    await consumer.close({ timeoutMs: 500 }).catch(() => undefined);
    await events.close({ timeoutMs: 500 }).catch(() => undefined);
    await transport.close({ timeoutMs: 500 }).catch(() => undefined);
    expect(Date.now() - before).toBeLessThan(3_500);
    await frozen;
  });
});
