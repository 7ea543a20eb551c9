import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallScope } from '../../src/core/index.js';
import { SendQueue } from '../../src/websocket/send-queue.js';

type Step =
  | { readonly do: 'push'; readonly bytes: number }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'flush'; readonly room: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const), room: fc.integer({ min: 0, max: 4 }) }) },
);

describe('SendQueue', () => {
  it('keeps order and bounds and settles every push once, under any policy and any course of events', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom('reject' as const, 'drop-oldest' as const, 'drop-newest' as const, 'wait' as const),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 30 }),
        async (steps, overflow, maxItems, maxBytes) => {
          const queue = new SendQueue('queue', { overflow, maxItems, maxBytes, maxWaiting: 5 });
          const scopes: CallScope[] = [];
          const outcomes: string[] = [];
          const sent: number[] = [];
          const settled: Promise<void>[] = [];
          for (const action of steps) {
            if (action.do === 'push') {
              const number = scopes.length;
              const scope = new CallScope(`push ${number}`);
              scopes.push(scope);
              const data = Buffer.alloc(action.bytes, number);
              const note = (outcome: string) => (): void => {
                outcomes[number] = (outcomes[number] ?? '') + outcome;
              };
              settled.push(queue.push(data, scope).then(note('sent'), note('lost')));
            } else if (action.do === 'abort') {
              scopes[action.which]?.cancel(new Error('aborted'));
            } else {
              let { room } = action;
              queue.flush({
                get ready() {
                  return room > 0;
                },
                send(data) {
                  room -= 1;
                  sent.push(Number(data[0]));
                },
              });
            }
            expect(queue.bytes).toBeLessThanOrEqual(maxBytes);
            expect(queue.size).toBeLessThanOrEqual(maxItems + (overflow === 'wait' ? 5 : 0));
          }
          queue.fail(new Error('end'));
          await Promise.all(settled);
          expect(queue.size).toBe(0);
          expect(sent).toEqual([...new Set(sent)].sort((a, b) => a - b));
          expect(outcomes.flatMap((outcome, number) => (outcome === 'sent' ? [number] : []))).toEqual(sent);
          expect(outcomes.filter((outcome) => outcome !== 'sent' && outcome !== 'lost')).toEqual([]);
          expect(outcomes).toHaveLength(scopes.length);
        },
      ),
    );
  });
});
