import { type Logger, spanKind, Telemetry, type TelemetryOptions } from '../core/index.js';
import type { Task } from './task.js';
import type { TaskRun } from './task-run.js';

/** The spans and metrics of one agent. */
export class AgentTelemetry {
  readonly #id: string;
  readonly #telemetry: Telemetry;

  constructor(id: string, options?: TelemetryOptions) {
    this.#id = id;
    this.#telemetry = new Telemetry('agents', options);
  }

  get logger(): Logger {
    return this.#telemetry.logger;
  }

  /** False when a span would reach nobody. */
  get tracing(): boolean {
    return this.#telemetry.tracing;
  }

  /** One span for each attempt, active for all that it awaits. */
  attempt({ id, type }: Task<unknown>, attempt: number, work: () => Promise<unknown>): Promise<unknown> {
    const attributes = {
      'safla.agent.id': this.#id,
      'safla.task.id': id,
      'safla.task.type': type,
      'safla.task.attempt': attempt,
    };
    return this.#telemetry.span({ name: `task ${type}`, kind: spanKind.internal, attributes }, work);
  }

  /** One record for each task that ended: from its start to its end, 0 for one that never began. Without its type, which callers choose freely. */
  ended({ state, outcome }: TaskRun): void {
    if (!outcome || !this.#telemetry.listening) return;
    const { processingTime = 0, code, failureReason } = outcome.metadata;
    const errorType = outcome.success ? undefined : (code ?? failureReason ?? 'UNKNOWN');
    this.#telemetry.duration('safla.agent.task.duration', processingTime, {
      'safla.agent.id': this.#id,
      'safla.task.state': state,
      ...(errorType !== undefined && { 'error.type': errorType }),
    });
  }
}
