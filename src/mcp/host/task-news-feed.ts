import { CallScope } from '../../core/index.js';
import type { MCPTaskView } from './mcp-task-view.js';

/** Hears what a server says of one task by itself, where it does. */
export interface TaskEar extends Disposable {
  /** Whether the server has agreed to tell. */
  readonly hears: boolean;
  /** Waits for the next news; undefined when none came in time. */
  within(ms: number, scope: CallScope): Promise<MCPTaskView | undefined>;
}

/** Keeps the last news of a task until somebody asks. */
export class TaskNewsFeed implements TaskEar {
  hears = false;
  #last: MCPTaskView | undefined;
  #wake: (() => void) | undefined;
  readonly #off: () => void;

  /** @param listen Begins to listen; gives what ends it. */
  constructor(listen: (feed: TaskNewsFeed) => () => void) {
    this.#off = listen(this);
  }

  tell(task: MCPTaskView): void {
    this.#last = task;
    this.#wake?.();
  }

  async within(ms: number, scope: CallScope): Promise<MCPTaskView | undefined> {
    if (!this.#last) {
      using pause = new CallScope('a pause', { parents: [scope] });
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      try {
        await Promise.race([pause.sleep(ms), woken]);
      } finally {
        this.#wake = undefined;
        // It would sleep on.
        pause.cancel(new Error('woken'));
      }
    }
    const last = this.#last;
    this.#last = undefined;
    return last;
  }

  [Symbol.dispose](): void {
    this.#off();
  }
}
