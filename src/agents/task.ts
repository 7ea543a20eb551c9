import { randomUUID } from 'node:crypto';
import { ValidationError, type ValidationIssue } from '../core/index.js';
import type { AgentCapability } from './agent-capabilities.js';

/** The states of a task, by the names of the A2A protocol (a2a-protocol.org, TaskState). */
export type TaskState = 'submitted' | 'working' | 'input-required' | 'completed' | 'failed' | 'canceled' | 'rejected';

/** A state that nothing follows. */
export type FinalTaskState = Extract<TaskState, 'completed' | 'failed' | 'canceled' | 'rejected'>;

/** A piece of work for an agent. */
export interface Task<I = Record<string, unknown>> {
  readonly id: string;
  /** What kind of work it is; agents choose by it in `canHandle`. */
  readonly type: string;
  /** What the work is about. Agents with an `input` schema see its output here. */
  readonly parameters: I;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Tasks with a higher one run first; those with the same one in the order in which they came. @default 0 */
  readonly priority?: number;
  /** What an agent must have among its `capabilities` to get it from a pool. @default none in particular */
  readonly capability?: AgentCapability;
}

/** What a caller knows of a task. The rest is added: a unique text as `id`, now as `createdAt`, `{}` as `parameters`. */
export type TaskDraft<I = Record<string, unknown>> = Partial<Omit<Task<I>, 'type' | 'parameters'>> & {
  readonly type: string;
} & (Record<never, never> extends I ? { readonly parameters?: I } : { readonly parameters: I });

/** What a result says about how it came to be. An agent may add its own facts. */
export interface TaskMetadata {
  /** The agent that ran it. */
  readonly agent?: string | undefined;
  /** How the task ended. Always set on what a {@link TaskHandle} gives. */
  readonly state?: FinalTaskState;
  /** Milliseconds from its start to its end, waiting for its turn not counted. */
  readonly processingTime?: number;
  /** How many times `execute` was called. */
  readonly attempts?: number;
  /** The `name` of what was thrown. */
  readonly failureReason?: string;
  /** The `code` of a {@link SaflaError}, such as `TIMEOUT` or `VALIDATION`. */
  readonly code?: string;
  /** True when the same task may succeed later without a change. */
  readonly retryable?: boolean;
  readonly [fact: string]: unknown;
}

/** How a task ended. */
export interface TaskResult<O = unknown> {
  readonly success: boolean;
  /** What the agent made. */
  readonly data?: O;
  /** Why there is nothing, redacted. */
  readonly error?: string;
  readonly metadata: TaskMetadata;
}

const finalStates: ReadonlySet<TaskState> = new Set(['completed', 'failed', 'canceled', 'rejected']);

/** True for a state that nothing follows. */
export function isFinalTaskState(state: TaskState): state is FinalTaskState {
  return finalStates.has(state);
}

const resultKeys: ReadonlySet<string> = new Set(['success', 'data', 'error', 'metadata']);

/** True for a value with a boolean `success` and nothing but the members of a {@link TaskResult}. */
export function isTaskResult(value: unknown): value is Omit<TaskResult, 'metadata'> & Partial<TaskResult> {
  if (typeof value !== 'object' || value === null) return false;
  if (typeof (value as { success?: unknown }).success !== 'boolean') return false;
  for (const key in value) if (!resultKeys.has(key)) return false;
  return true;
}

/**
 * Completes a draft.
 *
 * @throws ValidationError for a draft that is no object, has no type, or an id, time, priority or capability of the wrong kind
 */
export function taskOf<I>(draft: TaskDraft<I>): Task<I> {
  const issues = taskIssues(draft);
  if (issues.length > 0) throw new ValidationError('task', issues);
  const { id, type, parameters, createdAt, priority, capability } = draft;
  const task: { -readonly [K in keyof Task<I>]: Task<I>[K] } = {
    id: id ?? nextId(),
    type,
    parameters: parameters === undefined ? ({} as I) : parameters,
    createdAt: createdAt ?? Date.now(),
  };
  if (priority !== undefined) task.priority = priority;
  if (capability !== undefined) task.capability = capability;
  return task;
}

let idPrefix: string | undefined;
let lastId = 0;

/** As unique as a UUID, and a counter makes it cheaper than one for each task. */
function nextId(): string {
  idPrefix ??= randomUUID();
  lastId += 1;
  return `${idPrefix}-${lastId}`;
}

/** What is wrong with a draft; empty when nothing is. */
export function taskIssues(draft: unknown): ValidationIssue[] {
  if (typeof draft !== 'object' || draft === null) return [{ path: [], message: 'must be an object' }];
  const { id, type, createdAt, priority, capability } = draft as Partial<Record<keyof Task, unknown>>;
  const issues: ValidationIssue[] = [];
  if (!isText(type)) issues.push({ path: ['type'], message: notText });
  if (id !== undefined && !isText(id)) issues.push({ path: ['id'], message: notText });
  if (capability !== undefined && !isText(capability)) issues.push({ path: ['capability'], message: notText });
  if (priority !== undefined && !Number.isFinite(priority))
    issues.push({ path: ['priority'], message: 'must be a finite number' });
  if (createdAt !== undefined && !Number.isFinite(createdAt))
    issues.push({ path: ['createdAt'], message: 'must be milliseconds since the epoch' });
  return issues;
}

const notText = 'must be a text that is not empty';

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
