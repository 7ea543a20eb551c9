import { ClosedError, ConfigurationError, type StandardSchemaV1 } from '../core/index.js';
import { checkOptions, is } from '../core/internal.js';
import type { EventSubscription, IncomingEvent, TaskEventStream } from './event-source.js';
import { type TaskDraft, type TaskResult, taskIssues } from './task.js';
import type { TaskHandle, TaskSubmitter } from './task-handle.js';

/** Settings of {@link consumeTasks}. */
export interface ConsumeTasksOptions {
  /** Where tasks come from. @default 'safla.agent.task' */
  readonly channel?: string;
  /** Processes with the same group share the tasks. @default 'agents' */
  readonly group?: string;
  /** Where a group that is new on the channel begins. @default 'start': tasks sent before anybody listened are done too */
  readonly from?: 'new' | 'start';
  /** Tasks of this process at the same time. @default 16 */
  readonly concurrency?: number;
  /** Longest time for one task, in milliseconds; then it has failed, and its event is delivered again. @default Infinity */
  readonly timeoutMs?: number;
  /** Where results go, with `{ task, state, result }`; `false` for nowhere. @default the channel with `.result` */
  readonly resultChannel?: string | false;
  /** Where progress, partial output and questions go, with `{ task, event }`; `false` for nowhere. @default false */
  readonly progressChannel?: string | false;
}

/** What is published of a task that ended. */
export interface TaskOutcome {
  /** The task's id. */
  readonly task: string;
  readonly type: string;
  readonly state: string;
  readonly result: TaskResult;
}

const taskSchema: StandardSchemaV1<unknown, TaskDraft<unknown>> = {
  '~standard': {
    version: 1,
    vendor: '@safla/sdk',
    validate(value) {
      const issues = taskIssues(value);
      return issues.length > 0 ? { issues } : { value: value as TaskDraft<unknown> };
    },
  },
};

/**
 * Does the tasks that come as events: each event's data is a task, the event's id its idempotency key, and its
 * id unless it has one. The event is acknowledged when the task is final and its result is published, so
 * a process that dies leaves its tasks to others. A task that failed is done: its result says so. What is no
 * task is a dead letter.
 *
 * Delivery is at least once: a task may run again when a process died after it and before it could say so. Its
 * result is published under an id made from the event's, which a log with a dedupe window stores once.
 *
 * @example
 * await using consumer = await consumeTasks(events, pool, { channel: 'safla.agent.task' });
 * await events.publish('safla.agent.task', { type: 'summary', parameters: { text } });
 */
export async function consumeTasks(
  events: TaskEventStream,
  agents: TaskSubmitter,
  options: ConsumeTasksOptions = {},
): Promise<EventSubscription> {
  checkConsumeOptions(events, agents, options);
  const { channel = 'safla.agent.task', group = 'agents', from = 'start', concurrency = 16 } = options;
  const { resultChannel = `${channel}.result`, progressChannel = false } = options;
  const settings = {
    group,
    from,
    concurrency,
    prefetch: concurrency,
    timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY,
    schema: taskSchema,
  };
  return events.consume(channel, settings, async ({ id, data, signal }: IncomingEvent) => {
    const handle = agents.submit({ id, ...(data as TaskDraft<unknown>) }, { signal, idempotencyKey: id });
    const telling = progressChannel === false ? undefined : tellProgress(events, progressChannel, id, handle);
    const result = await handle.result;
    await telling;
    // The consumer ends, or the agents do: somebody else is to do it.
    if (signal.aborted) throw signal.reason;
    if (isLeftUndone(result)) throw new ClosedError(`What does ${handle.task.type}`);
    if (resultChannel === false) return;
    const { state } = handle;
    const outcome: TaskOutcome = { task: handle.id, type: handle.task.type, state, result };
    await events.publish(resultChannel, outcome, { id: `${id}.result` });
  });
}

/** Refused or canceled because an agent was closed, or had no room: not for what the task is. */
function isLeftUndone({ metadata: { code } }: TaskResult): boolean {
  return code === 'CLOSED' || code === 'QUEUE_FULL';
}

async function tellProgress(events: TaskEventStream, channel: string, id: string, handle: TaskHandle): Promise<void> {
  let number = 0;
  for await (const event of handle.events) {
    if (event.type === 'status' && event.state !== 'input-required') continue;
    number += 1;
    // Progress that cannot be told does not stop the work.
    await events
      .publish(channel, { task: handle.id, event }, { id: `${id}.progress.${number}` })
      .catch(() => undefined);
  }
}

function checkConsumeOptions(events: TaskEventStream, agents: TaskSubmitter, options: ConsumeTasksOptions): void {
  if (typeof events?.consume !== 'function' || typeof events.publish !== 'function') {
    throw new ConfigurationError('consumeTasks needs an EventStream, or something with its consume and publish', {
      field: 'events',
    });
  }
  if (typeof agents?.submit !== 'function') {
    throw new ConfigurationError('consumeTasks needs an agent or a pool, something with submit', { field: 'agents' });
  }
  const channel = is.either('the name of a channel, or false', is.oneOf(false), is.text);
  checkOptions<ConsumeTasksOptions>('consumeTasks', options, {
    channel: is.text,
    group: is.text,
    from: is.oneOf('new', 'start'),
    concurrency: is.count,
    timeoutMs: is.milliseconds,
    resultChannel: channel,
    progressChannel: channel,
  });
}
