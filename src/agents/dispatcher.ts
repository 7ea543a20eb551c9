import { type Clock, QueueFullError } from '../core/index.js';
import { Admission, type AdmissionParts } from './admission.js';
import type { AgentMemory } from './agent-memory.js';
import type { ToolCaller } from './agent-tools.js';
import { type AttemptParts, Attempts } from './attempts.js';
import { Places } from './places.js';
import { RunList } from './run-list.js';
import type { RunOwner } from './run-owner.js';
import type { TaskRun } from './task-run.js';

/** The agent, as its dispatcher sees it. */
export interface DispatcherParts extends AdmissionParts, AttemptParts {
  readonly maxConcurrentTasks: number;
  readonly maxQueue: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly memory: AgentMemory | undefined;
  readonly tools: ToolCaller | undefined;
  /** Told when the first task comes and when the last one has gone. */
  readonly onBusy: (busy: boolean) => void;
  /** Told of each change of a task's state. */
  readonly onTask: (run: TaskRun) => void;
}

/** Takes the tasks of one agent through admission, queue and attempts to their end, in their time. */
export class Dispatcher implements RunOwner {
  readonly #parts: DispatcherParts;
  readonly #admission: Admission;
  readonly #places: Places;
  readonly #attempts: Attempts;
  /** Accepted and not begun. */
  readonly #accepted: RunList<TaskRun> = new RunList();
  /** Begun and not final, the one that began first in front. */
  readonly #begun: RunList<TaskRun> = new RunList();
  #stopWatch: (() => void) | undefined;
  #idle: (() => void)[] = [];

  constructor(parts: DispatcherParts) {
    const { id, logger, memory, tools } = parts;
    this.#parts = parts;
    this.#places = new Places(parts.maxConcurrentTasks, (run) => this.#begin(run));
    this.#admission = new Admission(parts, (run) => {
      if (!run.final) this.#places.enqueue(run);
    });
    this.#attempts = new Attempts(parts, {
      id,
      logger,
      memory,
      tools,
      lend: (run, wait) => this.#places.lend(run, wait),
    });
  }

  /** Accepted and not final. */
  get size(): number {
    return this.#accepted.size + this.#begun.size;
  }

  /** Whether it would reject one more. */
  get isFull(): boolean {
    return this.size >= this.#parts.maxQueue + this.#parts.maxConcurrentTasks;
  }

  /** Running now, those that wait for somebody else not counted. */
  get running(): number {
    return this.#places.taken;
  }

  /** Waiting for a place. */
  get waiting(): number {
    return this.#places.waiting;
  }

  /** Takes a task, or rejects it. `isWanted` says that the agent was asked already. */
  accept(run: TaskRun, isWanted: boolean = false): void {
    const { id, maxQueue } = this.#parts;
    run.agent = id;
    const { size } = this;
    if (this.isFull) {
      run.reject(new QueueFullError(`queue of agent '${id}'`, `${maxQueue} tasks`));
      this.#parts.onTask(run);
      return;
    }
    this.#accepted.push(run);
    if (size === 0) this.#parts.onBusy(true);
    run.arm(this);
    // A signal that had aborted before has ended it by now.
    if (!run.final) this.#admission.admit(run, isWanted);
  }

  cancelAll(reason: unknown): void {
    this.cancelQueued(reason);
    for (let run = this.#begun.first; run; run = this.#begun.first) run.cancel(reason);
  }

  /** Cancels what has not begun. */
  cancelQueued(reason: unknown): void {
    for (let run = this.#accepted.first; run; run = this.#accepted.first) run.cancel(reason);
  }

  changed(run: TaskRun): void {
    this.#parts.onTask(run);
    if (!run.final) return;
    (run.begun ? this.#begun : this.#accepted).remove(run);
    this.#places.leave(run);
    if (this.size === 0) this.#rest();
  }

  /** Resolves when nothing is live. */
  idle(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #begin(run: TaskRun): void {
    const { timeoutMs, clock } = this.#parts;
    this.#accepted.remove(run);
    this.#begun.push(run);
    run.begin(timeoutMs, clock);
    if (timeoutMs < Number.POSITIVE_INFINITY && !this.#stopWatch) this.#watch(timeoutMs);
    this.#attempts.begin(run);
  }

  /** All tasks have the same time, so the one that began first is out of time first: one timer is enough. */
  #watch(ms: number): void {
    this.#stopWatch = this.#parts.clock.schedule(() => {
      this.#stopWatch = undefined;
      for (let run = this.#begun.first; run; run = this.#begun.first) {
        const left = run.expire();
        if (left > 0) {
          this.#watch(left);
          return;
        }
      }
    }, ms);
  }

  #rest(): void {
    this.#stopWatch?.();
    this.#stopWatch = undefined;
    this.#parts.onBusy(false);
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }
}
