import { randomUUID } from 'node:crypto';
import { redact } from '../../core/index.js';
import type { QuestionChannel, WireQuestion } from './pending-questions.js';
import type { MCPTaskRecord, MCPTaskState, MCPTaskStatus } from './task-state.js';

/** What a {@link TaskRun} is made of. */
export interface TaskRunOptions {
  readonly owner: string;
  readonly ttlMs: number;
  readonly pollIntervalMs: number;
  /** Is told of each new state, once the run has begun to be a task. */
  readonly onChange: (run: TaskRun) => void;
}

interface OpenQuestion {
  readonly question: WireQuestion;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

type Outcome = Pick<MCPTaskState, 'status' | 'statusMessage' | 'result' | 'error'>;

/** One call that is, or may become, a task: its state, its open questions, and the signal that ends it. */
export class TaskRun implements QuestionChannel {
  readonly id: string = randomUUID();
  readonly owner: string;
  readonly ttlMs: number;
  readonly #options: TaskRunOptions;
  readonly #controller: AbortController = new AbortController();
  readonly #open: Map<string, OpenQuestion> = new Map();
  readonly #keys: Set<string> = new Set();
  readonly #createdAt: number = Date.now();
  #updatedAt: number = this.#createdAt;
  #message: string | undefined;
  #outcome: Outcome | undefined;
  #begin: () => void = () => undefined;
  #begun = false;
  /** Resolves when the call has become a task. */
  readonly beginning: Promise<void> = new Promise((resolve) => {
    this.#begin = resolve;
  });

  constructor(options: TaskRunOptions) {
    this.#options = options;
    this.owner = options.owner;
    this.ttlMs = options.ttlMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the call has become a task. */
  get begun(): boolean {
    return this.#begun;
  }

  get final(): boolean {
    return this.#outcome !== undefined;
  }

  get status(): MCPTaskStatus {
    return this.#outcome?.status ?? (this.#open.size > 0 ? 'input_required' : 'working');
  }

  get state(): MCPTaskState {
    const { ttlMs, pollIntervalMs } = this.#options;
    const asks = this.#open.size > 0;
    return {
      taskId: this.id,
      status: this.status,
      ...(this.#message === undefined || this.final ? {} : { statusMessage: this.#message }),
      createdAt: new Date(this.#createdAt).toISOString(),
      lastUpdatedAt: new Date(this.#updatedAt).toISOString(),
      ttlMs,
      pollIntervalMs,
      ...(asks
        ? { inputRequests: Object.fromEntries(Array.from(this.#open, ([key, { question }]) => [key, question])) }
        : {}),
      ...this.#outcome,
    };
  }

  get record(): MCPTaskRecord {
    return { owner: this.owner, expiresAt: this.#createdAt + this.ttlMs, state: this.state };
  }

  begin(): void {
    this.#begun = true;
    this.#begin();
  }

  /** Waits for the answer of the client. A key is used once in a task's life, so a second one is numbered. */
  put(key: string, question: WireQuestion): Promise<unknown> {
    let free = key;
    for (let nth = 2; this.#keys.has(free); nth++) free = `${key}-${nth}`;
    this.#keys.add(free);
    return new Promise((resolve, reject) => {
      if (this.final) return reject(this.signal.reason);
      this.#open.set(free, { question, resolve, reject });
      this.#changed();
    });
  }

  forget(): void {}

  /** Hands over the answers to questions that are open; others are ignored, as answers may arrive twice. */
  answer(responses: Readonly<Record<string, unknown>>): void {
    const answered = [...this.#open].filter(([key]) => Object.hasOwn(responses, key));
    if (answered.length === 0) return;
    for (const [key] of answered) this.#open.delete(key);
    this.#changed();
    for (const [key, { resolve }] of answered) resolve(responses[key]);
  }

  /** Says how far the work is. */
  tell(message: string): void {
    if (this.final) return;
    this.#message = String(redact(message));
    this.#changed();
  }

  /** The first end stands. */
  end(outcome: Outcome): void {
    if (this.final) return;
    this.#outcome = outcome;
    const left = [...this.#open.values()];
    this.#open.clear();
    this.#changed();
    for (const { reject } of left) reject(this.signal.reason ?? new Error('The task has ended'));
  }

  /** Ends the run at once, whatever the tool does. */
  cancel(reason: unknown): void {
    this.#controller.abort(reason);
    this.end({ status: 'cancelled' });
  }

  #changed(): void {
    this.#updatedAt = Date.now();
    if (this.#begun) this.#options.onChange(this);
  }
}
