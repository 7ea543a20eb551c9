import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HeapItem, PriorityHeap } from '../../src/agents/priority-heap.js';
import { PriorityQueue, type QueueItem } from '../../src/agents/priority-queue.js';
import { type Linked, RunList } from '../../src/agents/run-list.js';

describe('the heap', () => {
  it('gives items by priority, then by arrival, whatever was removed in between', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ push: fc.integer({ min: -3, max: 3 }) }),
        fc.constant('pop' as const),
        fc.record({ remove: fc.nat() }),
      ),
    );
    fc.assert(
      fc.property(steps, (commands) => {
        const heap = new PriorityHeap<HeapItem>();
        let model: HeapItem[] = [];
        let order = 0;
        for (const command of commands) {
          if (command === 'pop') {
            const expected = model.toSorted((a, b) => b.priority - a.priority || a.order - b.order)[0];
            expect(heap.pop()).toBe(expected);
            model = model.filter((item) => item !== expected);
          } else if ('push' in command) {
            const item = { priority: command.push, order: order++, place: -1 };
            heap.push(item);
            model.push(item);
          } else {
            const item = model[command.remove % (model.length || 1)];
            if (!item) continue;
            expect(heap.remove(item)).toBe(true);
            expect(heap.remove(item)).toBe(false);
            model = model.filter((other) => other !== item);
          }
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });
});

describe('the queue', () => {
  it('gives items by priority, then in order, whatever was removed in between', () => {
    interface Item extends QueueItem<Item> {
      readonly n: number;
    }
    const steps = fc.array(
      fc.oneof(
        fc.record({ push: fc.integer({ min: -3, max: 3 }), front: fc.boolean() }),
        fc.constant('pop' as const),
        fc.record({ remove: fc.nat() }),
      ),
    );
    fc.assert(
      fc.property(steps, (commands) => {
        const queue = new PriorityQueue<Item>();
        let model: Item[] = [];
        let n = 0;
        for (const command of commands) {
          if (command === 'pop') {
            // Sorting is stable, so equal priorities keep the order of the model.
            const expected = model.toSorted((a, b) => b.priority - a.priority)[0];
            expect(queue.pop()).toBe(expected);
            model = model.filter((item) => item !== expected);
          } else if ('push' in command) {
            const item: Item = { n: n++, priority: command.push, line: undefined, ahead: undefined, behind: undefined };
            if (command.front) {
              queue.pushFront(item);
              model.unshift(item);
            } else {
              queue.push(item);
              model.push(item);
            }
          } else {
            const item = model[command.remove % (model.length || 1)];
            if (!item) continue;
            expect(queue.remove(item)).toBe(true);
            expect(queue.remove(item)).toBe(false);
            model = model.filter((other) => other !== item);
          }
          expect(queue.size).toBe(model.length);
        }
      }),
    );
  });
});

describe('the list', () => {
  it('keeps its order whatever is removed', () => {
    interface Item extends Linked<Item> {
      readonly n: number;
    }
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), (removals) => {
        const list = new RunList<Item>();
        let items = Array.from({ length: 20 }, (_, n): Item => ({ n, previous: undefined, next: undefined }));
        for (const item of items) list.push(item);
        for (const removal of removals) {
          const item = items[removal];
          if (!item) continue;
          list.remove(item);
          items = items.filter((other) => other !== item);
        }
        const seen: Item[] = [];
        for (let item = list.first; item; item = item.next) seen.push(item);
        expect(seen).toEqual(items);
        expect(list.size).toBe(items.length);
      }),
    );
  });
});
