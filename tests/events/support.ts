import type { Clock } from '@safla/sdk/core';
import type { EventStream, ReceivedEvent } from '@safla/sdk/events';

/** Waits until `condition` holds; the test's own timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A promise to be settled from outside. */
export function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** What a handler got, in order. */
export interface Recorder {
  readonly events: ReceivedEvent[];
  readonly data: () => unknown[];
  readonly handler: (event: ReceivedEvent) => void;
}

export function recorder(): Recorder {
  const events: ReceivedEvent[] = [];
  return { events, data: () => events.map(({ data }) => data), handler: (event) => void events.push(event) };
}

/** Resolves once the group has settled everything on the channel. */
export async function drained(stream: EventStream, channel: string, group: string): Promise<void> {
  await until(async () => (await stream.lag(channel, group)) === 0);
}

/** Time that moves only when told. */
export class TestClock implements Clock {
  readonly #timers: Set<{ readonly at: number; readonly fn: () => void }> = new Set();
  #now = 1_000_000;

  now(): number {
    return this.#now;
  }

  schedule(fn: () => void, ms: number): () => void {
    const timer = { at: this.#now + ms, fn };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pending(): number {
    return this.#timers.size;
  }

  move(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.fn();
    }
  }
}
