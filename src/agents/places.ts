import { PriorityQueue } from './priority-queue.js';
import type { TaskRun } from './task-run.js';

/**
 * The places of an agent, one for each task that may run at the same time, and the queue for them: the highest priority
 * first. Waiting for people, for other agents or between attempts needs no place.
 */
export class Places {
  readonly #count: number;
  readonly #begin: (run: TaskRun) => void;
  readonly #waiting: PriorityQueue<TaskRun> = new PriorityQueue();
  #taken = 0;
  #isPumping = false;
  #pumpIsDue = false;

  /** @param begin starts a task that has got its place */
  constructor(count: number, begin: (run: TaskRun) => void) {
    this.#count = count;
    this.#begin = begin;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Tasks that wait for a place. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Gives it a place when it is its turn, never inside of this call. */
  enqueue(run: TaskRun): void {
    // What has begun goes on before what has not.
    if (run.begun) this.#waiting.pushFront(run);
    else this.#waiting.push(run);
    if (this.#pumpIsDue || this.#taken >= this.#count) return;
    // Not at once: tasks submitted together are ordered first, and no task runs inside of `submit`.
    this.#pumpIsDue = true;
    queueMicrotask(() => {
      this.#pumpIsDue = false;
      this.#pump();
    });
  }

  /** Takes it out of the queue, or frees its place for the next one. */
  leave(run: TaskRun): void {
    if (this.#waiting.remove(run) || !run.holdsPlace) return;
    run.holdsPlace = false;
    this.#taken -= 1;
    this.#pump();
  }

  /** Frees a task's place until `wait` has settled and it is its turn again. */
  async lend<T>(run: TaskRun, wait: () => Promise<T>): Promise<T> {
    if (run.waits++ === 0) this.leave(run);
    try {
      return await wait();
    } finally {
      if (--run.waits === 0 && !run.final) await run.scope.run(() => this.#again(run));
    }
  }

  #again(run: TaskRun): Promise<void> {
    return new Promise((resolve) => {
      run.goOn = resolve;
      this.enqueue(run);
    });
  }

  #pump(): void {
    // A task that ends at once comes here again from inside the loop.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#taken < this.#count) {
        const run = this.#waiting.pop();
        if (!run) break;
        this.#taken += 1;
        run.holdsPlace = true;
        const { goOn } = run;
        run.goOn = undefined;
        if (goOn) goOn();
        else this.#begin(run);
      }
    } finally {
      this.#isPumping = false;
    }
  }
}
