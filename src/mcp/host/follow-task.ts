import { type CallScope, ConnectionError, ProtocolError, TimeoutError } from '../../core/index.js';
import type { WireRequest } from '../sdk/client-class.js';
import { isGone } from './client-errors.js';
import { MCPTaskCanceledError } from './mcp-task-canceled-error.js';
import type { MCPTaskView } from './mcp-task-view.js';
import type { TaskEar } from './task-news-feed.js';
import type { Progress } from './types.js';

/** What a task is followed by: the messages of the extension, to one server. */
export interface TaskMessages {
  get(taskId: string, scope: CallScope): Promise<MCPTaskView>;
  update(taskId: string, inputResponses: Readonly<Record<string, unknown>>, scope: CallScope): Promise<unknown>;
  answer(key: string, question: WireRequest, signal: AbortSignal): Promise<unknown>;
  /** Begins to listen to what the server says of the task by itself, without waiting for it. */
  listen(taskId: string): TaskEar;
}

/** A server may ask to be asked more often than is good for it, or less than anybody would wait. */
const leastPauseMs = 20;
const mostPauseMs = 60_000;
/** So many times longer are the pauses where the server tells by itself: a word of it may get lost. */
const toldTimes = 10;
/** Where a server does not say; the extension names no value. */
const usualPauseMs = 1_000;
/** A server that is being replaced is back after some of them. */
const maxFailures = 5;

/**
 * Asks for the state of a task, as often as its server says, until it has ended; gives the answers to
 * its questions on the way, each once. The server has it all, so a failure to reach it is survived.
 *
 * @param subject The call as it reads in messages.
 * @returns the task's result
 * @throws MCPTaskCanceledError; ProtocolError when it failed; the scope's reason; what an answer throws
 */
export async function followTask(
  subject: string,
  first: MCPTaskView,
  messages: TaskMessages,
  scope: CallScope,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<unknown> {
  const answered = new Set<string>();
  using ear = messages.listen(first.taskId);
  let told: string | undefined;
  let progress = 0;
  let failures = 0;
  for (let task = first; ; ) {
    if (task.statusMessage !== undefined && task.statusMessage !== told) {
      told = task.statusMessage;
      progress += 1;
      onProgress?.({ progress, message: told });
    }
    // What began it tells its status and no more.
    const isBare = task === first && task.status !== 'working';
    if (task.status === 'completed' && typeof task.result === 'object') return task.result;
    if (task.status === 'cancelled') throw new MCPTaskCanceledError(subject, task);
    if (isFinal(task) && !isBare) throw failure(subject, task);
    const waits = failures > 0 || (!isBare && !(await answerAll(task, messages, scope, answered)));
    try {
      const news = waits ? await ear.within(pauseOf(task, failures, ear.hears), scope) : undefined;
      task = news ?? (await messages.get(task.taskId, scope));
      failures = 0;
    } catch (error) {
      failures += 1;
      const passes = (error instanceof ConnectionError && !isGone(error)) || error instanceof TimeoutError;
      if (!passes || scope.cancelled || failures > maxFailures) throw error;
    }
  }
}

function isFinal({ status }: MCPTaskView): boolean {
  return status === 'completed' || status === 'failed';
}

/** @returns whether there was a question that had no answer yet */
async function answerAll(
  { taskId, status, inputRequests = {} }: MCPTaskView,
  messages: TaskMessages,
  scope: CallScope,
  answered: Set<string>,
): Promise<boolean> {
  if (status !== 'input_required') return false;
  const open = Object.entries(inputRequests).filter(([key]) => !answered.has(key));
  if (open.length === 0) return false;
  const answers = await Promise.all(
    open.map(async ([key, question]) => [key, await messages.answer(key, question, scope.signal)] as const),
  );
  await messages.update(taskId, Object.fromEntries(answers), scope);
  for (const [key] of open) answered.add(key);
  return true;
}

function pauseOf({ pollIntervalMs }: MCPTaskView, failures: number, isTold: boolean): number {
  const wanted = typeof pollIntervalMs === 'number' ? pollIntervalMs : usualPauseMs;
  const longer = isTold ? toldTimes : 2 ** Math.min(failures, 3);
  return Math.min(Math.max(wanted, leastPauseMs) * longer, mostPauseMs);
}

function failure(subject: string, { status, error, statusMessage }: MCPTaskView): ProtocolError {
  if (status === 'completed')
    return new ProtocolError(`${subject} was answered with a completed task without a result`);
  const { code, message } = error ?? { code: 'unknown', message: statusMessage ?? 'no reason given' };
  return new ProtocolError(`${subject} failed with error ${code}: ${message}`, { cause: error });
}
