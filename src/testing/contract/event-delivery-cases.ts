import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoredEvent } from '../../events/index.js';
import { failsWith } from './contract-suite.js';
import type { EventCase } from './event-case.js';
import { bodyOf, idsOf, withDeadline } from './event-harness.js';

/** At least once: what is acknowledged stays away, what is not comes again. */
export const deliveryCases: readonly EventCase[] = [
  {
    name: 'delivers events as they were published, in their order, as attempt 1',
    async run(events) {
      const before = Date.now();
      assert.deepEqual(await events.publish(['a', 'b'], { key: 'k' }), [false, false]);
      await events.publish(['c']);
      const member = await events.join();
      const taken = await member.take(3);
      assert.deepEqual(idsOf(taken), ['a', 'b', 'c']);
      assert.deepEqual(
        taken.map(({ event }) => event.body),
        ['a', 'b', 'c'].map(bodyOf),
      );
      assert.deepEqual(
        taken.map(({ event }) => event.key),
        ['k', 'k', undefined],
      );
      assert.deepEqual(
        taken.map(({ event }) => event.channel),
        ['orders', 'orders', 'orders'],
      );
      assert.deepEqual(
        taken.map(({ attempt }) => attempt),
        [1, 1, 1],
      );
      const times = taken.map(({ event }) => event.time);
      assert.ok(
        times.every((time, index) => time >= (times[index - 1] ?? before - 60_000)),
        `times ${times}`,
      );
    },
  },
  {
    name: 'keeps channels apart',
    async run(events) {
      await events.publish(['a']);
      await events.publish(['b'], { channel: 'refunds' });
      const member = await events.join();
      assert.deepEqual(await member.acknowledge(1), ['a']);
      await member.isQuiet();
    },
  },
  {
    name: 'waits in pull until an event comes',
    async run(events) {
      const member = await events.join();
      const publishLater = sleep(20).then(() => events.publish(['late']));
      const [delivery] = await Promise.all([member.takeOne(), publishLater]);
      assert.equal(delivery.event.id, 'late');
    },
  },
  {
    name: 'ends a waiting pull empty when its signal aborts',
    async run(events) {
      const member = await events.join();
      const controller = new AbortController();
      const waiting = member.subscription.pull(1, controller.signal);
      await sleep(5);
      controller.abort();
      assert.deepEqual(await waiting, []);
      assert.deepEqual(await member.subscription.pull(1, controller.signal), []);
    },
  },
  {
    name: 'does not deliver again what was acknowledged, also to members that come later',
    async run(events) {
      await events.publish(['a', 'b']);
      const member = await events.join();
      await member.acknowledge(2);
      await member.isQuiet();
      await member.subscription.close();
      await (await events.join()).isQuiet();
    },
  },
  {
    name: 'delivers again after a failure, once its delay has passed, as the next attempt',
    async run(events) {
      await events.publish(['a']);
      const member = await events.join();
      for (const attempt of [1, 2, 3]) {
        const delivery = await member.takeOne();
        assert.equal(delivery.attempt, attempt);
        assert.equal(delivery.event.id, 'a');
        await delivery.settle({ kind: 'retry', delayMs: 150 });
        await member.isQuiet();
      }
    },
  },
  {
    name: 'lets others pass an event that waits for its next attempt',
    async run(events) {
      await events.publish(['failing', 'next']);
      const member = await events.join();
      await (await member.takeOne()).settle({ kind: 'retry', delayMs: 3_600_000 });
      assert.deepEqual(await member.acknowledge(1), ['next']);
    },
  },
  {
    name: 'delivers again at once what was returned',
    async run(events) {
      await events.publish(['a']);
      const member = await events.join();
      await (await member.takeOne()).settle({ kind: 'return' });
      assert.deepEqual(await member.acknowledge(1), ['a']);
    },
  },
  {
    name: 'counts only the first settlement of a delivery',
    async run(events) {
      await events.publish(['a']);
      const member = await events.join();
      const delivery = await member.takeOne();
      await delivery.settle({ kind: 'ack' });
      await delivery.settle({ kind: 'retry', delayMs: 0 });
      await delivery.settle({ kind: 'dead', reason: 'too late' });
      await member.isQuiet();
      assert.deepEqual(await events.deadLetters(), []);
    },
  },
  {
    name: 'gives what a leaving member held to the others, and ignores what it settles afterwards',
    async run(events) {
      await events.publish(['a', 'b']);
      const leaving = await events.join();
      const held = await leaving.take(2);
      const staying = await events.join();
      await leaving.subscription.close();
      assert.deepEqual(await withDeadline(5_000, (signal) => leaving.subscription.pull(1, signal)), []);
      for (const delivery of held) await delivery.settle({ kind: 'dead', reason: 'from the grave' });
      assert.deepEqual((await staying.acknowledge(2)).sort(), ['a', 'b']);
      assert.deepEqual(await events.deadLetters(), []);
    },
  },
  {
    name: 'keeps a group whose last member left: it resumes where it was',
    async run(events) {
      await events.publish(['a', 'b']);
      const first = await events.join();
      await first.acknowledge(1);
      await first.subscription.close();
      await events.publish(['c']);
      const second = await events.join({ from: 'new' });
      assert.deepEqual(await second.acknowledge(2), ['b', 'c']);
    },
  },
  {
    name: 'shares the events of a group among its members, each to one',
    needs: 'groups',
    async run(events) {
      const members = [await events.join(), await events.join()];
      const ids = Array.from({ length: 20 }, (_, index) => `id${index}`);
      await events.publish(ids);
      const seen: string[] = [];
      for (let round = 0; round < 10; round++) {
        for (const member of members) seen.push(...(await member.acknowledge(1)));
      }
      assert.deepEqual(seen.sort(), [...ids].sort());
      for (const member of members) await member.isQuiet();
    },
  },
  {
    name: 'gives each group all events',
    needs: 'groups',
    async run(events) {
      await events.publish(['a', 'b']);
      for (const group of ['mail', 'stock']) {
        assert.deepEqual(await (await events.join({ group })).acknowledge(2), ['a', 'b']);
      }
    },
  },
  {
    name: 'counts what a group has still to settle: waiting, out, and between attempts',
    async run(events) {
      await failsWith('NOT_FOUND', 'lag of a group that does not exist', () => events.lag());
      await events.publish(['a', 'b', 'c']);
      const member = await events.join();
      assert.equal(await events.lag(), 3);
      const [a, b] = await member.take(2);
      assert.equal(await events.lag(), 3);
      await a?.settle({ kind: 'ack' });
      await b?.settle({ kind: 'retry', delayMs: 3_600_000 });
      assert.equal(await events.lag(), 2);
    },
  },
  {
    name: 'moves what was given up to the dead letters, with the reason and the group',
    async run(events) {
      await events.publish(['bad', 'good']);
      const member = await events.join();
      await (await member.takeOne()).settle({ kind: 'retry', delayMs: 0 });
      for (const delivery of await member.take(2)) {
        await delivery.settle(delivery.event.id === 'bad' ? { kind: 'dead', reason: 'no stock' } : { kind: 'ack' });
      }
      await member.isQuiet();
      const letters = await events.deadLetters();
      const read = letters.map(({ group, reason, attempts, event }) => ({
        group,
        reason,
        attempts,
        id: event.id,
        body: event.body,
      }));
      assert.deepEqual(read, [{ group: 'g', reason: 'no stock', attempts: 2, id: 'bad', body: bodyOf('bad') }]);
      assert.equal(await events.lag(), 0);
      assert.deepEqual(await events.deadLetters('elsewhere'), []);
    },
  },
  {
    name: 'gives dead letters back to their group as attempt 1, and says how many there were',
    async run(events) {
      await events.publish(['a', 'b']);
      const member = await events.join();
      const other = await events.join({ group: 'other' });
      await other.acknowledge(2);
      for (const delivery of await member.take(2)) await delivery.settle({ kind: 'dead', reason: 'broken' });
      const [letter, stays] = await events.deadLetters();
      assert.ok(letter && stays && letter.letterId !== stays.letterId, 'two letters with ids of their own');
      assert.equal(await events.transport.requeue('orders', [letter.letterId, 'unknown']), 1);
      const again = await member.takeOne();
      assert.deepEqual([again.event.id, again.attempt], [letter.event.id, 1]);
      assert.deepEqual(
        (await events.deadLetters()).map(({ letterId }) => letterId),
        [stays.letterId],
      );
      assert.equal(await events.transport.requeue('orders', [letter.letterId]), 0);
      await other.isQuiet();
    },
  },
  {
    name: 'gives attributes back beside the body: to a group, in the log, in a dead letter and once it was given back',
    needs: 'attributes',
    async run(events) {
      const base = { channel: 'orders', body: '{"total":1}' };
      const attributes = ['one', 'two'].map((source) => `{"specversion":"1.0","source":"${source}","type":"ä"}`);
      const [one = '', two = ''] = attributes;
      const outgoing = [
        { ...base, id: 'a', attributes: one },
        { ...base, id: 'plain' },
        { ...base, id: 'keyed', key: 'k', attributes: two },
      ];
      const expected = [one, undefined, two].map((text) => text && JSON.parse(text));
      await events.transport.publish(outgoing, { dedupeWindowMs: 0 });
      if (events.transport.capabilities.replay) {
        const stored: StoredEvent[] = [];
        for await (const event of events.transport.read('orders', { from: 'start' })) stored.push(event);
        assert.deepEqual(stored.map(attributesOf), expected, 'in the log');
      }
      const member = await events.join();
      const taken = await member.take(3);
      assert.deepEqual(
        taken.map(({ event }) => attributesOf(event)),
        expected,
        'to a group',
      );
      for (const delivery of taken) await delivery.settle({ kind: 'dead', reason: 'broken' });
      const letters = await events.deadLetters();
      assert.deepEqual(
        letters.map(({ event }) => attributesOf(event)),
        expected,
        'in dead letters',
      );
      const ids = letters.map(({ letterId }) => letterId);
      assert.equal(await events.transport.requeue('orders', ids), 3);
      const again = await member.take(3);
      assert.deepEqual(again.map(({ event }) => [event.id, attributesOf(event)]).sort(), [
        ['a', expected[0]],
        ['keyed', expected[2]],
        ['plain', undefined],
      ]);
    },
  },
  {
    name: 'closes once: waiting pulls end empty, new calls are refused',
    async run(events) {
      const member = await events.join();
      const waiting = withDeadline(10_000, (signal) => member.subscription.pull(1, signal));
      const [batch] = await Promise.all([waiting, events.transport.close()]);
      assert.deepEqual(batch, []);
      await events.transport.close();
      await failsWith('CLOSED', 'publish after close', () => events.publish(['a']));
      await failsWith('CLOSED', 'subscribe after close', () => events.join());
    },
  },
];

function attributesOf({ attributes }: StoredEvent): unknown {
  return attributes === undefined ? undefined : JSON.parse(attributes);
}
