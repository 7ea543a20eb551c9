import type { Job } from 'bullmq';
import { type Logger, NotFoundError } from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import type { TaskEvent, TaskQuestion } from '../task-event.js';
import type { TaskHandle } from '../task-handle.js';
import type { FleetCommand, FleetJob, FleetProgress } from './fleet-job.js';

/** A task that a worker has: what happens to it is told to its submitter, and what that wants is done. */
export class WorkerTask {
  readonly handle: TaskHandle;
  readonly #job: Job<FleetJob>;
  readonly #logger: Logger;
  readonly #questions: Map<string, TaskQuestion> = new Map();

  constructor(handle: TaskHandle, job: Job<FleetJob>, logger: Logger) {
    this.handle = handle;
    this.#job = job;
    this.#logger = logger;
  }

  /** Resolves when the last event was told. The end itself is told by BullMQ. */
  async tell(): Promise<void> {
    for await (const event of this.handle.events) {
      if (event.type === 'status') {
        if (event.state !== 'input-required' && this.#questions.size === 0) continue;
        if (event.question) this.#questions.set(event.question.id, event.question);
        if (event.result) continue;
      }
      await this.#progress(event);
    }
  }

  obey(command: FleetCommand): void {
    if (command.kind === 'cancel') this.handle.cancel(command.reason);
    else this.#respond(command.question, command.answer);
  }

  #respond(questionId: string, answer: unknown): void {
    const question = this.#questions.get(questionId);
    this.handle.respond(answer, { questionId }).catch((error: unknown) => {
      // Refused by its schema: it is asked again, with the reason. What nobody asks any more needs no answer.
      if (!question || error instanceof NotFoundError) return;
      const refused: TaskQuestion = { ...question, refused: describeError(error) };
      return this.#progress({ type: 'status', state: 'input-required', time: Date.now(), question: refused });
    });
  }

  async #progress(event: TaskEvent): Promise<void> {
    const progress: FleetProgress = { event };
    await this.#job.updateProgress(progress).catch((error: unknown) => {
      this.#logger.warn({ task: this.handle.id, error }, 'progress of a task could not be told');
    });
  }
}
