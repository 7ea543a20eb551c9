import { ClosedError } from '@safla/sdk/core';
import { type Delivery, inProcess, type Outcome } from '@safla/sdk/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestClock } from './support.js';

const never = new AbortController().signal;

/** Pulls what is there now, without waiting. */
async function pullNow(subscription: {
  pull(max: number, signal: AbortSignal): Promise<readonly Delivery[]>;
}): Promise<readonly Delivery[]> {
  const controller = new AbortController();
  const pulled = subscription.pull(100, controller.signal);
  controller.abort();
  return pulled;
}

type Step =
  | { readonly do: 'publish'; readonly key: string | undefined }
  | { readonly do: 'pull'; readonly member: number }
  | { readonly do: 'settle'; readonly index: number; readonly outcome: Outcome }
  | { readonly do: 'time' | 'requeue' | 'rejoin' };

const outcome: fc.Arbitrary<Outcome> = fc.constantFrom<Outcome[]>(
  { kind: 'ack' },
  { kind: 'retry', delayMs: 5 },
  { kind: 'dead', reason: 'no' },
  { kind: 'return' },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish'), key: fc.constantFrom('a', 'b', undefined) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pull'), member: fc.nat(1) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle'), index: fc.nat(9), outcome }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('time', 'requeue', 'rejoin') }) },
);

describe('the in-process transport', () => {
  it.each([
    ['', false, 1_000],
    ['with a full log', false, 4],
    ['when ordered', true, 1_000],
    ['when ordered, with a full log', true, 4],
  ])('acknowledges, drops or buries every event once, whatever its members do %s', async (_, ordered, maxItems) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
        const clock = new TestClock();
        await using transport = inProcess({ clock, maxItems, overflow: 'drop-oldest' });
        const join = () => transport.subscribe({ channel: 'c', group: 'g', from: 'new', ordered });
        const members = [await join(), await join()];
        const out: Delivery[] = [];
        const done: string[] = [];
        let published = 0;

        const pull = async (index: number): Promise<void> => {
          const member = members[index];
          for (const delivery of member ? await pullNow(member) : []) {
            const { key } = delivery.event;
            if (ordered && key !== undefined) expect(out.map(({ event }) => event.key)).not.toContain(key);
            out.push(delivery);
          }
        };
        const settle = async (index: number, how: Outcome): Promise<void> => {
          const [delivery] = out.splice(index % Math.max(out.length, 1), 1);
          await delivery?.settle(how);
          if (delivery && how.kind === 'ack') done.push(delivery.event.id);
        };
        const requeue = async (): Promise<void> => {
          const letters: string[] = [];
          for await (const { letterId } of transport.deadLetters('c')) letters.push(letterId);
          expect(await transport.requeue('c', letters)).toBe(letters.length);
        };
        const rejoin = async (): Promise<void> => {
          for (const member of members.splice(0)) await member.close();
          out.length = 0;
          members.push(await join(), await join());
        };

        for (const one of steps) {
          if (one.do === 'publish') {
            const event = { channel: 'c', id: `${published++}`, body: '1' };
            const keyed = one.key === undefined ? event : { ...event, key: one.key };
            await transport.publish([keyed], { dedupeWindowMs: 0 });
          } else if (one.do === 'pull') await pull(one.member);
          else if (one.do === 'settle') await settle(one.index, one.outcome);
          else if (one.do === 'time') clock.move(10);
          else if (one.do === 'requeue') await requeue();
          else await rejoin();
        }
        for (let round = 0; (await transport.lag('c', 'g')) > 0; round++) {
          expect(round).toBeLessThan(1_000);
          clock.move(1_000);
          await pull(round % 2);
          while (out.length > 0) await settle(0, { kind: 'ack' });
        }
        const { dropped, deadLetters } = transport.stats();
        expect(new Set(done).size).toBe(done.length);
        expect(done.length + dropped + deadLetters).toBe(published);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('ignores a second settlement, and one after the subscription closed', async () => {
    await using transport = inProcess();
    const request = { channel: 'c', group: 'g', from: 'new', ordered: false } as const;
    const subscription = await transport.subscribe(request);
    const events = ['1', '2'].map((id) => ({ channel: 'c', id, body: '1' }));
    await transport.publish(events, { dedupeWindowMs: 0 });
    const [first, second] = await subscription.pull(2, never);
    await first?.settle({ kind: 'ack' });
    await first?.settle({ kind: 'retry', delayMs: 0 });
    expect(await transport.lag('c', 'g')).toBe(1);
    await subscription.close();
    await second?.settle({ kind: 'ack' });
    expect(await transport.lag('c', 'g')).toBe(1);
  });

  it('ends waiting pulls when it closes, and refuses calls afterwards', async () => {
    const transport = inProcess();
    const request = { channel: 'c', group: 'g', from: 'new', ordered: false } as const;
    const subscription = await transport.subscribe(request);
    const waiting = subscription.pull(1, never);
    await Promise.all([transport.close(), transport.close()]);
    expect(await waiting).toEqual([]);
    expect(await subscription.pull(1, never)).toEqual([]);
    await expect(transport.publish([], { dedupeWindowMs: 0 })).rejects.toBeInstanceOf(ClosedError);
    await expect(transport.subscribe(request)).rejects.toBeInstanceOf(ClosedError);
    await expect(transport.broadcast('c', '1')).rejects.toBeInstanceOf(ClosedError);
  });

  it('leaves no timer behind when it closes between two attempts', async () => {
    const clock = new TestClock();
    const transport = inProcess({ clock });
    const subscription = await transport.subscribe({ channel: 'c', group: 'g', from: 'new', ordered: false });
    await transport.publish([{ channel: 'c', id: '1', body: '1' }], { dedupeWindowMs: 0 });
    const [delivery] = await subscription.pull(1, never);
    await delivery?.settle({ kind: 'retry', delayMs: 1_000 });
    expect(clock.pending).toBe(1);
    await transport.close();
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['what is left of its pause', 400, 600],
    ['nothing when its pause is over', 5_000, 0],
    ['its whole pause when the clock jumped back', -5_000, 1_000],
  ])('runs no timer for a group without members; a new one waits %s', async (_, awayMs, leftMs) => {
    const clock = new TestClock();
    await using transport = inProcess({ clock });
    const request = { channel: 'c', group: 'g', from: 'new', ordered: false } as const;
    const subscription = await transport.subscribe(request);
    await transport.publish([{ channel: 'c', id: '1', body: '1' }], { dedupeWindowMs: 0 });
    const [delivery] = await subscription.pull(1, never);
    await delivery?.settle({ kind: 'retry', delayMs: 1_000 });
    await subscription.close();
    expect(clock.pending).toBe(0);
    clock.move(awayMs);
    const again = await transport.subscribe(request);
    if (leftMs > 0) {
      clock.move(leftMs - 1);
      expect(await pullNow(again)).toEqual([]);
    }
    clock.move(leftMs > 0 ? 1 : 0);
    expect(await pullNow(again)).toMatchObject([{ attempt: 2 }]);
  });
});
