import { EventStream, type EventTransport, redisStreams } from '@safla/sdk/events';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { newName, ownRedis } from './redis-support.js';
import { drained, until } from './support.js';

const hourMs = 3_600_000;

const server = ownRedis();

/**
 * A client whose server seems to have another time: each script is sent as text, with the time that it asks
 * for, and the silence of consumers that it goes by, moved. The ids of entries and the expiry of keys stay real.
 */
class ShiftedRedis extends Redis {
  /** How far the server is ahead, in milliseconds. */
  aheadMs = 0;

  override async call(...args: unknown[]): Promise<unknown> {
    const [name, list] = args as [string, (string | number)[]];
    if (name === 'EVALSHA') throw new Error('NOSCRIPT');
    if (name !== 'EVAL') return super.call(name, list);
    const [script, ...rest] = list;
    return super.call('EVAL', [this.#shifted(String(script)), ...rest]);
  }

  #shifted(script: string): string {
    const time = `(function()
      local t = redis.call('TIME')
      local ms = t[1] * 1000 + math.floor(t[2] / 1000) + ${this.aheadMs}
      return { math.floor(ms / 1000), (ms % 1000) * 1000 }
    end)()`;
    return script
      .replaceAll("redis.call('TIME')", time)
      .replaceAll("consumer['idle']", `math.max(0, consumer['idle'] + ${this.aheadMs})`);
  }
}

function shifted(): ShiftedRedis {
  const redis = new ShiftedRedis(server.url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

function publish(transport: EventTransport, id: string, dedupeWindowMs: number): Promise<boolean> {
  const event = { channel: 'orders', id, body: '1' };
  return transport.publish([event], { dedupeWindowMs }).then(([receipt]) => receipt?.duplicate ?? false);
}

describe('a Redis server whose clock jumps', () => {
  it('goes back: duplicates are still recognised, and ids that come then have their whole window', async () => {
    const redis = shifted();
    await using transport = redisStreams({ client: redis, prefix: newName() });
    expect(await publish(transport, 'a', 60_000)).toBe(false);
    redis.aheadMs = -hourMs;
    expect(await publish(transport, 'a', 60_000)).toBe(true);
    expect(await publish(transport, 'b', 60_000)).toBe(false);
    redis.aheadMs += 59_000;
    expect(await publish(transport, 'b', 60_000)).toBe(true);
    redis.aheadMs += 1_500;
    expect(await publish(transport, 'b', 60_000)).toBe(false);
  });

  it('goes forward: what is left of a window is shorter by as much, and no id counts as new before that', async () => {
    const redis = shifted();
    await using transport = redisStreams({ client: redis, prefix: newName() });
    expect(await publish(transport, 'a', 60_000)).toBe(false);
    redis.aheadMs = 50_000;
    expect(await publish(transport, 'a', 60_000)).toBe(true);
    redis.aheadMs = hourMs;
    expect(await publish(transport, 'a', 60_000)).toBe(false);
    expect(await publish(transport, 'a', 60_000)).toBe(true);
  });

  it('or does not: an id counts for exactly its window, whoever asks for which and whatever comes in between', async () => {
    const windowMs = fc.constantFrom(10_000, 40_000);
    const step = fc.record({
      passMs: fc.constantFrom(0, 100, 3_000, 10_000, 25_000, 50_000, 200_000),
      backMs: fc.constantFrom(0, 0, 0, 5_000, hourMs),
      id: fc.constantFrom('a', 'b', 'c', '__proto__'),
      windowMs,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const redis = new ShiftedRedis(server.url);
        const prefix = newName();
        await using transport = redisStreams({ client: redis, prefix });
        const until = new Map<string, number>();
        let passedMs = 0;
        let jumped = false;
        // What passes here passes for the server as well, which is slower than a test can be by no more than this.
        const slackMs = 5_000;
        for (const { passMs, backMs, id, windowMs } of steps) {
          passedMs += passMs;
          jumped ||= backMs > 0;
          redis.aheadMs += passMs - backMs;
          const duplicate = await publish(transport, id, windowMs);
          const leftMs = (until.get(id) ?? Number.NEGATIVE_INFINITY) - passedMs;
          if (leftMs > slackMs) expect(duplicate).toBe(true);
          if (leftMs <= 0 && !jumped) expect(duplicate).toBe(false);
          if (!duplicate) until.set(id, passedMs + windowMs);
        }
        redis.disconnect();
      }),
      { numRuns: process.env.SAFLA_SOAK === '1' ? 500 : 25 },
    );
  });

  it('keeps the ids of two windows at most, and gives the memory back', async () => {
    const redis = shifted();
    const prefix = newName();
    await using transport = redisStreams({ client: redis, prefix });
    const kept = async (): Promise<number> => {
      const counts = await Promise.all([0, 1].map((turn) => server.client.hlen(`{${prefix}:orders:0}:ids:${turn}`)));
      return counts.reduce((sum, count) => sum + count, 0);
    };
    for (let window = 0; window < 6; window++) {
      for (let number = 0; number < 20; number++) await publish(transport, `${window}-${number}`, 60_000);
      redis.aheadMs += 60_001;
    }
    expect(await kept()).toBeLessThanOrEqual(2 * 21);
    const ttls = await Promise.all([0, 1].map((turn) => server.client.pttl(`{${prefix}:orders:0}:ids:${turn}`)));
    for (const ttl of ttls) expect(ttl).toBeGreaterThan(0);
    for (const ttl of ttls) expect(ttl).toBeLessThanOrEqual(60_000);
  });

  it.each([-hourMs, hourMs])(
    'by %i ms: what failed comes again to its consumer, not later than after its pause',
    async (jumpMs) => {
      const redis = shifted();
      await using transport = redisStreams({ client: redis, prefix: newName(), pollMs: 50 });
      const member = await transport.subscribe({ channel: 'orders', group: 'g', from: 'start', ordered: false });
      await publish(transport, 'a', 0);
      const signal = AbortSignal.timeout(20_000);
      const [delivery] = await member.pull(1, signal);
      await delivery?.settle({ kind: 'retry', delayMs: 300 });
      redis.aheadMs = jumpMs;
      const [again] = await member.pull(1, signal);
      expect([again?.event.id, again?.attempt]).toEqual(['a', 2]);
      await again?.settle({ kind: 'ack' });
      expect(await transport.lag('orders', 'g')).toBe(0);
    },
  );

  it('goes back while the consumer that knows a pause is gone: the others wait for the clock of the server', async () => {
    const redis = shifted();
    const prefix = newName();
    await using transport = redisStreams({ client: redis, prefix, pollMs: 30 });
    const request = { channel: 'orders', group: 'g', from: 'start', ordered: false } as const;
    const first = await transport.subscribe(request);
    await publish(transport, 'a', 0);
    const [delivery] = await first.pull(1, AbortSignal.timeout(20_000));
    await delivery?.settle({ kind: 'retry', delayMs: 100 });
    await first.close();
    redis.aheadMs = -hourMs;
    const second = await transport.subscribe(request);
    expect(await second.pull(1, AbortSignal.timeout(300))).toEqual([]);
    expect(await transport.lag('orders', 'g')).toBe(1);
    redis.aheadMs = 0;
    const [again] = await second.pull(1, AbortSignal.timeout(20_000));
    expect([again?.event.id, again?.attempt]).toEqual(['a', 2]);
  });

  it('goes forward: a consumer that lives keeps what it holds, though it looks silent at first', async () => {
    const prefix = newName();
    const redis = shifted();
    const settings = { prefix, deadAfterMs: 600, pollMs: 50 };
    await using holding = redisStreams({ client: server.client, ...settings });
    await using watching = redisStreams({ client: redis, ...settings });
    const request = { channel: 'orders', group: 'g', from: 'start', ordered: false } as const;
    const holder = await holding.subscribe(request);
    await publish(holding, 'a', 0);
    const [delivery] = await holder.pull(1, AbortSignal.timeout(20_000));
    const other = await watching.subscribe(request);
    for (let round = 0; round < 3; round++) {
      redis.aheadMs = hourMs;
      // Longer than one beat of the other (200 ms): the holder is late to show the new time that it lives.
      await new Promise((resolve) => setTimeout(resolve, 250));
      redis.aheadMs = 0;
      expect(await other.pull(1, AbortSignal.timeout(450))).toEqual([]);
    }
    await delivery?.settle({ kind: 'ack' });
    expect(await holding.lag('orders', 'g')).toBe(0);
  });

  it('was ahead and came back: the log keeps its order, its times stand still, and reading by time misses nothing', async () => {
    const prefix = newName();
    await using transport = redisStreams({ client: server.client, prefix });
    const key = `{${prefix}:orders:0}:log`;
    const before = Date.now();
    await publish(transport, 'before', 60_000);
    // What a server writes whose clock is an hour ahead.
    await server.client.xadd(key, `${before + hourMs}-0`, 'id', 'ahead', 'body', '1');
    for (const id of ['b', 'c', 'd']) expect(await publish(transport, id, 60_000)).toBe(false);
    expect(await publish(transport, 'c', 60_000)).toBe(true);
    const read = async (from: 'start' | { time: number }, to?: { time: number }): Promise<string[]> => {
      const ids: string[] = [];
      const times: number[] = [];
      for await (const { id, time } of transport.read('orders', to ? { from, to } : { from })) {
        ids.push(id);
        times.push(time);
      }
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      return ids;
    };
    expect(await read('start')).toEqual(['before', 'ahead', 'b', 'c', 'd']);
    expect(await read({ time: Date.now() })).toEqual(['ahead', 'b', 'c', 'd']);
    expect(await read('start', { time: before + hourMs / 2 })).toEqual(['before']);
    const member = await transport.subscribe({
      channel: 'orders',
      group: 'late',
      from: { time: Date.now() },
      ordered: false,
    });
    const taken = await member.pull(10, AbortSignal.timeout(20_000));
    expect(taken.map(({ event }) => event.id)).toEqual(['ahead', 'b', 'c', 'd']);
  });

  it('drops what is older than maxAgeMs by its own clock, and never what a group has still to settle', async () => {
    const redis = shifted();
    const prefix = newName();
    await using transport = redisStreams({ client: redis, prefix, maxAgeMs: 60_000 });
    const member = await transport.subscribe({ channel: 'orders', group: 'g', from: 'start', ordered: false });
    for (let number = 0; number < 300; number++) await publish(transport, `${number}`, 0);
    redis.aheadMs = hourMs;
    await using later = redisStreams({ client: redis, prefix, maxAgeMs: 60_000 });
    await publish(later, 'last', 0);
    let seen = 0;
    while (seen < 301) {
      const taken = await member.pull(64, AbortSignal.timeout(20_000));
      if (taken.length === 0) break;
      seen += taken.length;
      for (const delivery of taken) await delivery.settle({ kind: 'ack' });
    }
    expect(seen).toBe(301);
  });
});

describe('a host whose clock jumps', () => {
  it.each([-24 * hourMs, 24 * hourMs])(
    'by %i ms: dedupe, redelivery and time limits go on as before; only the time in envelopes is the one it has',
    async (jumpMs) => {
      vi.useFakeTimers({ toFake: ['Date'] });
      onTestFinished(() => {
        vi.useRealTimers();
      });
      const realNow = Date.now();
      await using transport = redisStreams({ url: server.url, prefix: newName() });
      await using stream = new EventStream({ transport, redelivery: { baseDelayMs: 50, maxDeliveries: 3 } });
      const attempts: string[] = [];
      const times: number[] = [];
      await using _consumer = await stream.consume(
        'orders',
        { group: 'g', from: 'start', timeoutMs: 150 },
        ({ id, attempt, time }) => {
          attempts.push(`${id}${attempt}`);
          times.push(time.getTime());
          vi.setSystemTime(realNow + jumpMs * (attempt % 2));
          if (id === 'slow' && attempt === 1) return new Promise(() => undefined);
          if (attempt < 3 && id === 'bad') throw new Error('again');
          return undefined;
        },
      );
      await stream.publish('orders', 1, { id: 'bad' });
      await drained(stream, 'orders', 'g');
      vi.setSystemTime(realNow + jumpMs);
      expect(await stream.publish('orders', 1, { id: 'bad' })).toMatchObject({ duplicate: true });
      await stream.publish('orders', 1, { id: 'slow' });
      await until(() => attempts.includes('slow2'));
      await drained(stream, 'orders', 'g');
      expect(attempts).toEqual(['bad1', 'bad2', 'bad3', 'slow1', 'slow2']);
      expect(times.at(-1)).toBe(realNow + jumpMs);
    },
  );
});
