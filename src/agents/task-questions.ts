import { type CallScope, NotFoundError, type StandardSchemaV1, validate } from '../core/index.js';
import type { TaskQuestion } from './task-event.js';
import type { RespondOptions } from './task-handle.js';

interface OpenQuestion extends TaskQuestion {
  readonly schema: StandardSchemaV1 | undefined;
  readonly resolve: (answer: unknown) => void;
}

/** Who asks: told when a question is open, and when none is left. */
export interface Questioner {
  readonly subject: string;
  asks(question: TaskQuestion): void;
  goesOn(): void;
}

/** What one task asks people, until it is answered. */
export class TaskQuestions {
  readonly #of: Questioner;
  readonly #open: Map<string, OpenQuestion> = new Map();
  #last = 0;

  constructor(of: Questioner) {
    this.#of = of;
  }

  /** Waits for an answer that passes `schema`, within `scope`. */
  ask(prompt: unknown, schema: StandardSchemaV1 | undefined, scope: CallScope): Promise<unknown> {
    this.#last += 1;
    return this.pose({ id: String(this.#last), prompt }, schema, scope);
  }

  /** Asks a question that has its id already. */
  pose(question: TaskQuestion, schema: StandardSchemaV1 | undefined, scope: CallScope): Promise<unknown> {
    const { id } = question;
    const answered = scope.run(
      () =>
        new Promise((resolve) => {
          this.#open.set(id, { ...question, schema, resolve });
          this.#of.asks(question);
        }),
    );
    // Still open when nobody answered: the task was canceled, or its time to ask is over.
    return answered.finally(() => this.#close(id));
  }

  /** @throws NotFoundError, ValidationError: the question stays open */
  async answer(answer: unknown, { questionId }: RespondOptions): Promise<void> {
    const question = questionId === undefined ? this.#open.values().next().value : this.#open.get(questionId);
    if (!question) throw notAsked(this.#of.subject, questionId);
    const { id, schema, resolve } = question;
    const value = schema ? await validate(schema, answer, `answer to ${this.#of.subject}`) : answer;
    if (!this.#close(id)) throw notAsked(this.#of.subject, id);
    resolve(value);
  }

  #close(id: string): boolean {
    const wasOpen = this.#open.delete(id);
    if (wasOpen && this.#open.size === 0) this.#of.goesOn();
    return wasOpen;
  }
}

export function notAsked(subject: string, id: string | undefined): NotFoundError {
  return new NotFoundError(`The ${subject} ${id === undefined ? 'asks nothing' : `does not ask question '${id}'`} now`);
}
