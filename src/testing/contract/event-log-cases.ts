import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { failsWith } from './contract-suite.js';
import type { EventCase } from './event-case.js';
import type { EventHarness } from './event-harness.js';

/** Reading the log again. */
export const logCases: readonly EventCase[] = [
  {
    name: "begins a new group at the end of the log with 'new', at its start with 'start'",
    async run(events) {
      await events.publish(['old']);
      const fresh = await events.join({ group: 'fresh', from: 'new' });
      const whole = await events.join({ group: 'whole', from: 'start' });
      await events.publish(['new']);
      assert.deepEqual(await fresh.acknowledge(1), ['new']);
      assert.deepEqual(await whole.acknowledge(2), ['old', 'new']);
    },
  },
  {
    name: 'begins a new group at an event or a time',
    needs: 'replay',
    async run(events) {
      const time = await publishApart(events);
      const byId = await events.join({ group: 'byId', from: { id: 'b' } });
      assert.deepEqual(await byId.acknowledge(2), ['b', 'c']);
      const byTime = await events.join({ group: 'byTime', from: { time } });
      assert.deepEqual(await byTime.acknowledge(2), ['b', 'c']);
      await failsWith('NOT_FOUND', 'beginning at an unknown id', () =>
        events.join({ group: 'unknown', from: { id: 'never published' } }),
      );
    },
  },
  {
    name: 'reads a part of the log, both ends included, whatever the groups did',
    needs: 'replay',
    async run(events) {
      const time = await publishApart(events);
      await (await events.join()).acknowledge(3);
      assert.deepEqual(await events.read({ from: 'start' }), ['a', 'b', 'c']);
      assert.deepEqual(await events.read({ from: { id: 'b' } }), ['b', 'c']);
      assert.deepEqual(await events.read({ from: 'start', to: { id: 'b' } }), ['a', 'b']);
      assert.deepEqual(await events.read({ from: { id: 'b' }, to: { id: 'b' } }), ['b']);
      assert.deepEqual(await events.read({ from: { time } }), ['b', 'c']);
      assert.deepEqual(await events.read({ from: 'start', to: { time: time - 1 } }), ['a']);
      assert.deepEqual(await events.read({ from: 'start', to: { time: time + 3_600_000 } }), ['a', 'b', 'c']);
    },
  },
  {
    name: 'reads nothing from a channel that does not exist, and refuses ends that do not',
    needs: 'replay',
    async run(events) {
      assert.deepEqual(await events.read({ from: 'start' }, 'elsewhere'), []);
      await events.publish(['a']);
      await failsWith('NOT_FOUND', 'reading from an unknown id', () => events.read({ from: { id: 'x' } }));
      await failsWith('NOT_FOUND', 'reading to an unknown id', () => events.read({ from: 'start', to: { id: 'x' } }));
    },
  },
];

/** `a`, then after a pause `b` and `c`. Gives the time of `b`, which is later than that of `a`. */
async function publishApart(events: EventHarness): Promise<number> {
  await events.publish(['a']);
  await sleep(10);
  await events.publish(['b']);
  await sleep(10);
  await events.publish(['c']);
  const probe = await events.join({ group: 'probe' });
  const [a, b] = await probe.take(3);
  assert.ok(a && b && a.event.time < b.event.time, 'times of events that were published apart');
  return b.event.time;
}
