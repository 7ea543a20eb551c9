import type { CallOptions, Logger, StandardSchemaV1 } from '../core/index.js';
import type { AgentMemory } from './agent-memory.js';
import type { ToolCaller } from './agent-tools.js';
import type { TaskDraft } from './task.js';
import type { TaskProgress } from './task-event.js';
import type { SubmitOptions } from './task-handle.js';

/** Settings of {@link TaskContext.delegate}. */
export interface DelegateOptions<S extends StandardSchemaV1 = StandardSchemaV1> extends SubmitOptions {
  /** What the other agent's `data` must be. @default not checked, `unknown` */
  readonly schema?: S;
}

/** Settings of {@link TaskContext.ask}. */
export interface AskOptions<S extends StandardSchemaV1 = StandardSchemaV1> extends CallOptions {
  /** What an answer must be; one that does not match is refused and the question stays open. @default not checked, `unknown` */
  readonly schema?: S;
}

/**
 * What `execute` works with. All that it awaits in this SDK is cancelled with the task, inside these calls
 * and outside of them.
 */
export interface TaskContext {
  /** Aborts when the task is canceled or out of time. Made when first read. */
  readonly signal: AbortSignal;
  /** From 1; higher when the task is tried again. */
  readonly attempt: number;
  /** Writes to the agent's logger, with the agent and the task in each record. */
  readonly logger: Logger;
  /** @throws ConfigurationError when the agent was given none */
  readonly memory: AgentMemory;
  /**
   * Calls one of the agent's tools by name. The call ends with the task.
   *
   * @throws ConfigurationError when the agent was given none, on reading
   */
  readonly tools: ToolCaller;
  /** Tells how far the task is: a share from 0 to 1, or more in words. */
  progress(progress: number | TaskProgress): void;
  /** Hands out a part of the result before the whole. */
  output(data: unknown): void;
  /** Waits; rejects when the task ends first. The task's place is free for others meanwhile. @throws ConfigurationError unless `ms` is a number, 0 or more */
  sleep(ms: number): Promise<void>;
  /**
   * Has another agent of the pool do a task and waits for what it made. Only when no other can, the task comes
   * to an agent that handed it on, this one last. It ends with this task. This
   * task's place is free for others meanwhile, so agents that hand tasks to each other cannot lock up.
   *
   * @throws TaskFailedError when it does not complete, ValidationError when its data does not match `schema`,
   * TaskRejectedError when tasks were handed on too often, ConfigurationError for an agent outside of a pool
   */
  delegate<S extends StandardSchemaV1>(
    task: TaskDraft<unknown>,
    options?: DelegateOptions<S>,
  ): Promise<StandardSchemaV1.InferOutput<S>>;
  /**
   * Asks a person and waits for the answer, which comes by {@link TaskHandle.respond}. The task is
   * `input-required` and its place is free for others until then.
   *
   * @param prompt what is asked: a text, or whatever the host's screen shows
   * @throws TimeoutError when nobody answers within `timeoutMs`; ClosedError once the task has completed
   */
  ask<S extends StandardSchemaV1>(prompt: unknown, options?: AskOptions<S>): Promise<StandardSchemaV1.InferOutput<S>>;
}
