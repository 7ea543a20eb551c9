import { BoundedQueue, QueueFullError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

describe('BoundedQueue', () => {
  it('is first in, first out', () => {
    const queue = new BoundedQueue<number>({ name: 'q' });
    for (const n of [1, 2, 3]) queue.push(n);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([1, 2, 3, undefined]);
  });

  it('refuses what does not fit, naming the queue and the bound', () => {
    const queue = new BoundedQueue<number>({ name: 'queue of api.example.com', maxItems: 1 });
    queue.push(1);
    expect(() => queue.push(2)).toThrow(QueueFullError);
    expect(() => queue.push(2)).toThrow('queue of api.example.com is full (1 items)');
    expect(queue.size).toBe(1);
  });

  it('drops the oldest until the new item fits, and reports each', () => {
    const dropped: string[] = [];
    const queue = new BoundedQueue<string>({
      name: 'q',
      maxBytes: 5,
      sizeOf: (text) => text.length,
      overflow: 'drop-oldest',
      onDrop: (text) => dropped.push(text),
    });
    queue.push('aa');
    queue.push('bb');
    queue.push('cccc');
    expect(dropped).toEqual(['aa', 'bb']);
    expect([queue.bytes, queue.size, queue.dropped]).toEqual([4, 1, 2]);
  });

  it('drops the newcomer under drop-newest', () => {
    const dropped: number[] = [];
    const queue = new BoundedQueue<number>({
      name: 'q',
      maxItems: 1,
      overflow: 'drop-newest',
      onDrop: (n) => dropped.push(n),
    });
    queue.push(1);
    const leave = queue.push(2);
    expect(leave()).toBe(false);
    expect([queue.peek(), ...dropped]).toEqual([1, 2]);
  });

  it('refuses an item larger than the whole queue under every policy', () => {
    const queue = new BoundedQueue<string>({
      name: 'q',
      maxBytes: 3,
      sizeOf: (t) => t.length,
      overflow: 'drop-oldest',
    });
    queue.push('ab');
    expect(() => queue.push('abcd')).toThrow(QueueFullError);
    expect(queue.peek()).toBe('ab');
  });

  it('agrees with an array under any order of pushes, takes and removals', () => {
    const step = fc.oneof(fc.constant('shift' as const), fc.nat(50), fc.record({ remove: fc.nat(30) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new BoundedQueue<number>({ name: 'q', maxItems: 10, overflow: 'drop-oldest', sizeOf: (n) => n });
        let model: number[] = [];
        const leaves: { readonly value: number; readonly leave: () => boolean }[] = [];
        for (const [index, action] of steps.entries()) {
          if (action === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (typeof action === 'number') {
            const value = index * 100 + action;
            leaves.push({ value, leave: queue.push(value) });
            model = [...model, value].slice(-10);
          } else {
            const entry = leaves[action.remove];
            expect(entry?.leave() ?? false).toBe(entry !== undefined && model.includes(entry.value));
            model = model.filter((value) => value !== entry?.value);
          }
          expect(queue.size).toBe(model.length);
          expect(queue.bytes).toBe(model.reduce((a, b) => a + b, 0));
        }
        expect(queue.drain()).toEqual(model);
      }),
    );
  });
});
