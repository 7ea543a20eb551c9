import {
  type CallOptions,
  CallScope,
  ClosedError,
  ConfigurationError,
  type Logger,
  type StandardSchemaV1,
  silentLogger,
  ValidationError,
  validate,
} from '../core/index.js';
import { checkOptions, is, isSchema } from '../core/internal.js';
import type { AgentMemory } from './agent-memory.js';
import type { ToolCaller } from './agent-tools.js';
import { TaskFailedError } from './errors/task-failed-error.js';
import { TaskRejectedError } from './errors/task-rejected-error.js';
import { checkSubmitOptions } from './submit-options.js';
import { type TaskDraft, taskOf } from './task.js';
import type { AskOptions, DelegateOptions, TaskContext } from './task-context.js';
import type { TaskProgress } from './task-event.js';
import { TaskRun } from './task-run.js';

/** What an agent lends to its tasks. */
export interface ContextSource {
  readonly id: string;
  readonly logger: Logger;
  readonly memory: AgentMemory | undefined;
  readonly tools: ToolCaller | undefined;
  /** Gives the run's place to others until `wait` has settled. */
  lend<T>(run: TaskRun, wait: () => Promise<T>): Promise<T>;
}

/** The {@link TaskContext} of one attempt at one task. Its calls are made when they are read, so that they can be taken out of it: `{ signal, ask }`. */
export class RunContext implements TaskContext {
  readonly attempt: number;
  readonly #run: TaskRun;
  readonly #source: ContextSource;

  constructor(run: TaskRun, source: ContextSource) {
    this.attempt = run.attempts;
    this.#run = run;
    this.#source = source;
  }

  get signal(): AbortSignal {
    return this.#run.scope.signal;
  }

  get logger(): Logger {
    const { logger, id: agent } = this.#source;
    const { id: task, type } = this.#run.task;
    return logger === silentLogger ? logger : withFacts(logger, { agent, task, type });
  }

  get memory(): AgentMemory {
    return this.#source.memory ?? this.#missing('memory');
  }

  get tools(): ToolCaller {
    const tools = this.#source.tools ?? this.#missing('tools');
    return {
      callTool: async (name, args, options: CallOptions = {}) => {
        using scope = new CallScope(`tool '${name}'`, { ...options, parents: [this.#run.scope] });
        const limits = {
          get signal() {
            return scope.signal;
          },
        };
        return await scope.run(() => tools.callTool(name, args, limits));
      },
    };
  }

  get progress(): TaskContext['progress'] {
    return (progress) => this.#progress(progress);
  }

  get output(): TaskContext['output'] {
    return (data) => this.#output(data);
  }

  get sleep(): TaskContext['sleep'] {
    return (ms) => this.#sleep(ms);
  }

  get delegate(): TaskContext['delegate'] {
    return (task, options) => this.#delegate(task, options);
  }

  get ask(): TaskContext['ask'] {
    return (prompt, options) => this.#ask(prompt, options);
  }

  #progress(progress: number | TaskProgress): void {
    const facts = typeof progress === 'number' ? { progress } : progress;
    if (typeof facts?.progress !== 'number' || Number.isNaN(facts.progress)) {
      throw new ValidationError('progress', [{ path: [], message: 'must be a number, or an object with one' }]);
    }
    this.#run.tell({ ...facts, type: 'progress' });
  }

  #output(data: unknown): void {
    this.#run.tell({ type: 'output', data });
  }

  async #sleep(ms: number): Promise<void> {
    if (typeof ms !== 'number' || !(ms >= 0)) {
      throw new ConfigurationError(`sleep takes milliseconds, 0 or more, got ${String(ms)}`, { field: 'ms' });
    }
    await this.#source.lend(this.#run, () => this.#run.sleep(ms));
  }

  async #delegate<S extends StandardSchemaV1>(
    draft: TaskDraft<unknown>,
    options: DelegateOptions<S> = {},
  ): Promise<StandardSchemaV1.InferOutput<S>> {
    const run = this.#run;
    const { router } = run;
    const task = taskOf(draft);
    const { schema, ...submit } = options;
    checkSubmitOptions('delegate', submit);
    if (!router) {
      throw new ConfigurationError(
        `Agent '${this.#source.id}' is in no pool, so it has nobody to hand a task to; submit to an AgentPool`,
      );
    }
    const chain = [this.#source.id, ...run.handedOnBy];
    if (chain.length > router.maxDepth) throw tooDeep(run, chain, task.type);
    const child = new TaskRun(task, submit, run);
    const result = await this.#source.lend(run, () => {
      router.route(child);
      return run.scope.run(() => child.result);
    });
    if (!result.success) throw new TaskFailedError(child.subject, result);
    return schema ? await validate(schema, result.data, `result of ${child.subject}`) : result.data;
  }

  async #ask<S extends StandardSchemaV1>(
    prompt: unknown,
    options: AskOptions<S> = {},
  ): Promise<StandardSchemaV1.InferOutput<S>> {
    checkOptions<AskOptions>('ask', options, { schema: schemaCheck, signal: is.object, timeoutMs: is.milliseconds });
    const { schema, ...limits } = options;
    // What goes on after its task has completed has nobody to answer it.
    if (this.#run.final && !this.#run.stopped) throw new ClosedError(this.#run.subject);
    using scope = new CallScope(`an answer to ${this.#run.subject}`, { ...limits, parents: [this.#run.scope] });
    return await this.#source.lend(this.#run, () => this.#run.questions.ask(prompt, schema, scope));
  }

  #missing(what: 'memory' | 'tools'): never {
    throw new ConfigurationError(`Agent '${this.#source.id}' has no ${what}: give it the option '${what}'`, {
      field: what,
    });
  }
}

/** @param chain the agents that handed the task on, the last one first */
function tooDeep(run: TaskRun, chain: readonly string[], type: string): TaskRejectedError {
  const circle = [...new Set(chain.filter((id, index) => chain.indexOf(id) !== index))].map((id) => `'${id}'`);
  const way = (chain.length > 5 ? '... > ' : '') + chain.slice(0, 5).reverse().join(' > ');
  const advice =
    circle.length === 0
      ? 'if that is meant, raise maxDepth of the pool'
      : `that is a circle: give ${circle.join(' and ')} a canHandle that says no to type '${type}'`;
  const message = `The ${run.subject} was handed on ${chain.length - 1} times already (${way}); ${advice}`;
  return new TaskRejectedError(message, 'too-deep');
}

export function schemaCheck(value: unknown, field: string): void {
  if (!isSchema(value))
    throw new ConfigurationError(`${field} must be a Standard Schema (zod, valibot, ...)`, { field });
}

function withFacts(logger: Logger, facts: object): Logger {
  return {
    debug: (more, message) => logger.debug({ ...facts, ...more }, message),
    info: (more, message) => logger.info({ ...facts, ...more }, message),
    warn: (more, message) => logger.warn({ ...facts, ...more }, message),
    error: (more, message) => logger.error({ ...facts, ...more }, message),
  };
}
