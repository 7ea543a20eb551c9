import type { TaskRun } from '../task-run.js';
import type { FleetCommand } from './fleet-job.js';

/** A task on its way: the run that its submitter holds, and the job in Redis. */
export class SentTask {
  readonly run: TaskRun;
  readonly jobId: string;
  /** Resolves when Redis has it; rejects when it ended before. */
  readonly stored: Promise<void>;
  /** What workers are told until they show that they heard. */
  commands: FleetCommand[] = [];
  /** When it was heard of, or looked after, last; milliseconds since the epoch. */
  heardAt: number = Date.now();
  isStored = false;
  #settle: ((error?: unknown) => void) | undefined;

  constructor(run: TaskRun, jobId: string) {
    this.run = run;
    this.jobId = jobId;
    this.stored = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Who does not ask learns of it by the result.
    this.stored.catch(() => undefined);
  }

  store(): void {
    this.isStored = true;
    this.#settle?.();
  }

  lose(error: unknown): void {
    this.#settle?.(error ?? new Error('The task ended before Redis had it'));
  }
}
