import type { TaskEvent } from './task-event.js';

/** Events kept for readers that are behind. */
const maxEvents = 1_000;

/** The events of one task: the last 1,000, for any number of readers, each at its own pace. */
export class TaskLog {
  readonly #events: TaskEvent[];
  /** How many were let go from the front. */
  #gone = 0;
  #ended: boolean;
  #wake: (() => void)[] = [];

  constructor(past: TaskEvent[], ended: boolean) {
    this.#events = past;
    this.#ended = ended;
  }

  add(event: TaskEvent): void {
    this.#events.push(event);
    // Cut in blocks: an array's front is costly to move.
    if (this.#events.length >= 2 * maxEvents) {
      this.#gone += maxEvents;
      this.#events.splice(0, maxEvents);
    }
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  /** From the first event to the last; it ends when the task does. */
  async *read(): AsyncGenerator<TaskEvent, void, void> {
    let next = 0;
    for (;;) {
      const first = Math.max(this.#gone, this.#gone + this.#events.length - maxEvents);
      if (next < first) {
        yield { type: 'dropped', count: first - next };
        next = first;
      }
      const event = this.#events[next - this.#gone];
      if (event) {
        next += 1;
        yield event;
      } else {
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake.push(resolve);
        });
      }
    }
  }

  #tell(): void {
    const wake = this.#wake;
    if (wake.length === 0) return;
    this.#wake = [];
    for (const reader of wake) reader();
  }
}
