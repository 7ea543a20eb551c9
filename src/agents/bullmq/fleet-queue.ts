import type { QueueEvents } from 'bullmq';
import { detach, type Logger, NotFoundError, quietClock, systemClock } from '../../core/index.js';
import { describeError } from '../../core/internal.js';
import { redisFailure } from '../../drivers/redis/index.js';
import type { RunOwner } from '../run-owner.js';
import type { TaskResult } from '../task.js';
import type { TaskEvent } from '../task-event.js';
import type { TaskRun } from '../task-run.js';
import { type FleetCommand, type FleetProgress, jobIdOf, jobPriorityOf } from './fleet-job.js';
import { type FleetBullJob, type FleetBullQueue, FleetLink } from './fleet-link.js';
import type { FleetConnection } from './fleet-options.js';
import { SentTask } from './sent-task.js';

/** How jobs are stored. */
export interface FleetQueueSettings {
  readonly attempts: number;
  readonly baseDelayMs: number;
  readonly keepMs: number;
  readonly maxDeadLetters: number;
  readonly pollMs: number;
}

/** Tasks that are looked after in one round. */
const pollBatch = 200;

/** The submitter's side of the queue: sends tasks, hears what becomes of them, and tells workers what it wants. */
export class FleetQueue implements RunOwner {
  readonly #settings: FleetQueueSettings;
  readonly #logger: Logger;
  readonly #link: FleetLink;
  /** By job, until it has ended here and there. */
  readonly #sent: Map<string, SentTask> = new Map();
  readonly #byRun: WeakMap<TaskRun, SentTask> = new WeakMap();
  #outbox: SentTask[] = [];
  #stopPolling: (() => void) | undefined;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(where: FleetConnection, settings: FleetQueueSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#link = new FleetLink(where, logger, (events) => this.#listen(events));
  }

  /** Tasks that are on their way. */
  get size(): number {
    return this.#sent.size;
  }

  queue(): Promise<FleetBullQueue> {
    return this.#link.queue();
  }

  find(key: string): SentTask | undefined {
    return this.#sent.get(jobIdOf(key));
  }

  send(run: TaskRun, key: string): SentTask {
    const sent = new SentTask(run, jobIdOf(key));
    this.#sent.set(sent.jobId, sent);
    this.#byRun.set(run, sent);
    run.arm(this);
    if (!run.final) {
      this.#outbox.push(sent);
      if (this.#outbox.length === 1) setImmediate(() => void this.#flush());
    }
    return sent;
  }

  /** Told by each run: one that ended here, and not there, is to end there too. */
  changed(run: TaskRun): void {
    const sent = this.#byRun.get(run);
    if (!run.final || !sent) return;
    if (!sent.isStored) sent.lose(run.failure);
    if (run.stopped && sent.isStored && !this.#closed) {
      this.#command(sent, { kind: 'cancel', job: sent.jobId, reason: describeError(run.failure) });
    } else this.#forget(sent);
  }

  /** Resolves when nothing is on its way. */
  idle(): Promise<void> {
    if (this.#sent.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Ends the runs that are left with `reason`, here only, and closes what it opened. */
  async close(reason: unknown): Promise<void> {
    this.#closed = true;
    this.#stopPolling?.();
    for (const { run } of [...this.#sent.values()]) run.cancel(reason);
    await this.#link.close();
  }

  #listen(events: QueueEvents): void {
    const on = (jobId: string, tell: (sent: SentTask) => void): void => {
      const sent = this.#sent.get(jobId);
      if (!sent) return;
      sent.heardAt = Date.now();
      tell(sent);
    };
    events.on('active', ({ jobId }) => on(jobId, (sent) => this.#begun(sent)));
    events.on('progress', ({ jobId, data }) =>
      on(jobId, (sent) => this.#follow(sent, (data as unknown as FleetProgress).event)),
    );
    events.on('completed', ({ jobId, returnvalue }) =>
      on(jobId, (sent) => this.#end(sent, returnvalue as unknown as TaskResult)),
    );
    events.on('failed', ({ jobId }) => on(jobId, (sent) => this.#look(sent)));
    events.on('removed', ({ jobId }) => on(jobId, (sent) => this.#look(sent)));
    // It was there already: submitted before with the same key, perhaps by another process.
    events.on('duplicated', ({ jobId }) => on(jobId, (sent) => this.#look(sent, true)));
  }

  /** What was submitted together goes to Redis together. */
  async #flush(): Promise<void> {
    const batch = this.#outbox.filter(({ run }) => !run.final);
    this.#outbox = [];
    try {
      const queue = await this.#link.queue();
      const waiting = batch.filter(({ run }) => !run.final);
      await queue.addBulk(waiting.map((sent) => this.#jobOf(sent)));
      for (const sent of waiting) this.#stored(sent);
    } catch (error) {
      for (const { run } of batch) run.fail(redisFailure(`submit of ${run.subject}`, error));
    }
  }

  #jobOf({ run, jobId }: SentTask): Parameters<FleetBullQueue['addBulk']>[0][number] {
    const { attempts, baseDelayMs, keepMs, maxDeadLetters } = this.#settings;
    return {
      name: run.task.type,
      data: { task: run.task, correlationId: run.correlationId },
      opts: {
        jobId,
        priority: jobPriorityOf(run.priority),
        attempts,
        backoff: { type: 'exponential', delay: baseDelayMs, jitter: 0.5 },
        removeOnComplete: { age: Math.ceil(keepMs / 1_000) },
        removeOnFail: { count: maxDeadLetters },
      },
    };
  }

  #stored(sent: SentTask): void {
    sent.store();
    this.#stopPolling ??= this.#poll();
    // Canceled while it was on its way.
    if (sent.run.final) this.changed(sent.run);
  }

  #begun({ run }: SentTask): void {
    if (run.state === 'submitted') run.begin(Number.POSITIVE_INFINITY, systemClock);
  }

  #follow(sent: SentTask, event: TaskEvent): void {
    const { run } = sent;
    this.#begun(sent);
    if (event.type !== 'status') run.tell(event);
    else if (event.question) this.#ask(sent, event.question);
    else sent.commands = sent.commands.filter(({ kind }) => kind === 'cancel');
  }

  #ask(sent: SentTask, question: NonNullable<Extract<TaskEvent, { type: 'status' }>['question']>): void {
    const { run, jobId } = sent;
    run.questions.pose(question, undefined, run.scope).then(
      (answer) => this.#command(sent, { kind: 'respond', job: jobId, question: question.id, answer }),
      () => undefined,
    );
  }

  #end(sent: SentTask, result: TaskResult): void {
    sent.run.mirror(result);
    this.#forget(sent);
  }

  #forget(sent: SentTask): void {
    if (this.#sent.get(sent.jobId) !== sent) return;
    this.#sent.delete(sent.jobId);
    if (this.#sent.size > 0) return;
    this.#stopPolling?.();
    this.#stopPolling = undefined;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #command(sent: SentTask, command: FleetCommand): void {
    sent.commands.push(command);
    this.#quietly(sent, () => this.#tell(sent));
  }

  /** Looks where the job is. @param isAgain it was submitted again: if it failed, it gets another chance */
  #look(sent: SentTask, isAgain: boolean = false): void {
    this.#quietly(sent, async () => {
      const job = await this.#link.job(sent.jobId);
      if (!job) sent.run.fail(new NotFoundError(`The ${sent.run.subject} is not in the queue any more`));
      else if (job.finishedOn === undefined || job.finishedOn === null) return;
      else if (job.returnvalue) this.#end(sent, job.returnvalue);
      else if (isAgain) return void (await job.retry('failed', { resetAttemptsMade: true }));
      else this.#end(sent, failureOf(job));
      this.#forget(sent);
    });
  }

  async #tell(sent: SentTask): Promise<void> {
    const job = await this.#link.job(sent.jobId);
    if (!job || job.finishedOn) {
      this.#forget(sent);
      return;
    }
    for (const command of sent.commands) {
      if (command.kind === 'cancel' && (await this.#takenBack(job, command.reason))) {
        this.#forget(sent);
        return;
      }
      await this.#link.tell(command);
    }
  }

  /** True when no worker had it. Otherwise it is marked, for the worker that may get it when this one dies. */
  async #takenBack(job: FleetBullJob, reason: string): Promise<boolean> {
    try {
      await job.remove();
      return true;
    } catch {
      await job.updateData({ ...job.data, canceled: reason });
      return false;
    }
  }

  /** Redis keeps only the last 10,000 events, and connections break: whatever was silent for long is looked after. */
  #poll(): () => void {
    return quietClock.schedule(() => {
      const now = Date.now();
      let left = pollBatch;
      for (const sent of this.#sent.values()) {
        if (!sent.isStored || now - sent.heardAt < this.#settings.pollMs) continue;
        if (left-- === 0) break;
        sent.heardAt = now;
        if (sent.commands.length > 0) this.#quietly(sent, () => this.#tell(sent));
        else this.#look(sent);
      }
      this.#stopPolling = this.#sent.size > 0 && !this.#closed ? this.#poll() : undefined;
    }, this.#settings.pollMs);
  }

  /** For what is tried again by the next poll. */
  #quietly({ run }: SentTask, work: () => Promise<void>): void {
    detach(work).catch((error: unknown) => {
      if (!this.#closed)
        this.#logger.warn({ task: run.id, error }, 'a fleet could not reach its queue; it tries again');
    });
  }
}

/** What a failed job says. A worker leaves its whole result; BullMQ itself only a text. */
export function failureOf(job: FleetBullJob): TaskResult {
  const error = job.failedReason || 'The job failed';
  return job.data.outcome ?? { success: false, error, metadata: { state: 'failed', attempts: job.attemptsMade } };
}
