import assert from 'node:assert/strict';
import { failsWith } from './contract-suite.js';
import type { EventCase } from './event-case.js';
import { bodyOf, idsOf, type Member, withDeadline } from './event-harness.js';

/** Order by key, duplicates and patterns. */
export const orderCases: readonly EventCase[] = [
  {
    name: 'has one event of a key out at a time, in order, while other keys go on',
    needs: 'ordered',
    async run(events) {
      await events.publish(['a1', 'a2'], { key: 'a' });
      await events.publish(['b1'], { key: 'b' });
      const members = [await events.join({ ordered: true }), await events.join({ ordered: true })] as const;
      const out = [await members[0].takeOne(), await members[1].takeOne()];
      assert.deepEqual(idsOf(out).sort(), ['a1', 'b1']);
      for (const member of members) await member.isQuiet();
      for (const delivery of out) await delivery.settle({ kind: 'ack' });
      assert.deepEqual(await takeFromAny(members), ['a2']);
    },
  },
  {
    name: 'keeps the order of a key across failures and returns',
    needs: 'ordered',
    async run(events) {
      await events.publish(['1', '2', '3'], { key: 'k' });
      const member = await events.join({ ordered: true });
      await (await member.takeOne()).settle({ kind: 'retry', delayMs: 100 });
      await member.isQuiet();
      await (await member.takeOne()).settle({ kind: 'return' });
      const seen: string[] = [];
      for (let round = 0; round < 3; round++) seen.push(...(await member.acknowledge(1)));
      assert.deepEqual(seen, ['1', '2', '3']);
    },
  },
  {
    name: 'lets the next of a key pass once the one before is given up',
    needs: 'ordered',
    async run(events) {
      await events.publish(['1', '2'], { key: 'k' });
      const member = await events.join({ ordered: true });
      await (await member.takeOne()).settle({ kind: 'dead', reason: 'broken' });
      assert.deepEqual(await member.acknowledge(1), ['2']);
    },
  },
  {
    name: 'does not hold back events without a key',
    needs: 'ordered',
    async run(events) {
      await events.publish(['1', '2']);
      const member = await events.join({ ordered: true });
      assert.deepEqual(idsOf(await member.take(2)), ['1', '2']);
    },
  },
  {
    name: 'refuses a member that does not agree with its group about order',
    needs: 'ordered',
    async run(events) {
      await events.join({ ordered: true });
      await failsWith('CONFIGURATION', 'joining an ordered group unordered', () => events.join({ ordered: false }));
    },
  },
  {
    name: 'stores an id once within the dedupe window, for each channel',
    needs: 'dedupe',
    async run(events) {
      const dedupeWindowMs = 60_000;
      assert.deepEqual(await events.publish(['a', 'b'], { dedupeWindowMs }), [false, false]);
      assert.deepEqual(await events.publish(['b', 'c', 'c'], { dedupeWindowMs }), [true, false, true]);
      assert.deepEqual(await events.publish(['a'], { channel: 'refunds', dedupeWindowMs }), [false]);
      const member = await events.join();
      assert.deepEqual(await member.acknowledge(3), ['a', 'b', 'c']);
      await member.isQuiet();
    },
  },
  {
    name: 'takes a single event as it takes a list of one, duplicates included',
    needs: 'dedupe',
    async run(events) {
      const dedupeWindowMs = 60_000;
      assert.equal(await events.publishOne('a', { dedupeWindowMs }), false);
      assert.deepEqual(await events.publish(['b', 'a'], { dedupeWindowMs }), [false, true]);
      assert.equal(await events.publishOne('b', { dedupeWindowMs }), true);
      assert.equal(await events.publishOne('c', { key: 'k', dedupeWindowMs }), false);
      const taken = await (await events.join()).take(3);
      assert.deepEqual(
        taken.map(({ event: { id, key, body } }) => [id, key, body]),
        [
          ['a', undefined, bodyOf('a')],
          ['b', undefined, bodyOf('b')],
          ['c', 'k', bodyOf('c')],
        ],
      );
    },
  },
  {
    name: 'stores an id again without a dedupe window',
    async run(events) {
      assert.deepEqual(await events.publish(['a']), [false]);
      assert.deepEqual(await events.publish(['a']), [false]);
      assert.deepEqual(await (await events.join()).acknowledge(2), ['a', 'a']);
    },
  },
  {
    name: 'subscribes to all channels of a pattern, those made later included',
    needs: 'pattern',
    async run(events) {
      await events.publish(['1'], { channel: 'order.paid' });
      await events.publish(['x'], { channel: 'orders' });
      await events.publish(['y'], { channel: 'order.line.added' });
      const one = await events.join({ channel: 'order.*' });
      const more = await events.join({ channel: 'order.**', group: 'audit' });
      await events.publish(['2'], { channel: 'order.sent' });
      assert.deepEqual((await one.acknowledge(2)).sort(), ['1', '2']);
      await one.isQuiet();
      assert.deepEqual((await more.acknowledge(3)).sort(), ['1', '2', 'y']);
      await more.isQuiet();
    },
  },
];

/** The ids that one of the members gets, whichever it is. */
async function takeFromAny(members: readonly Member[]): Promise<string[]> {
  return withDeadline(10_000, async (deadline) => {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, deadline]);
    const pulls = members.map(({ subscription }) => subscription.pull(1, signal));
    await Promise.race(pulls);
    controller.abort();
    return (await Promise.all(pulls)).flatMap(idsOf);
  });
}
