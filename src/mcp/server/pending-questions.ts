import { randomUUID } from 'node:crypto';
import type { RequestContext } from '../sdk/server-sdk.js';

/** A question as the protocol writes it. */
export interface WireQuestion {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: Readonly<Record<string, unknown>>;
}

/** How a question reaches the client, and its answer the handler. */
export interface QuestionChannel {
  /** @throws AwaitingReply when the answer comes with another call */
  put(key: string, question: WireQuestion): Promise<unknown>;
  /** Forgets an answer that cannot be used, so that the question is asked again. */
  forget(key: string): void;
}

/** Ends a run of a handler whose question goes out as the answer of the call. Not a failure. */
export class AwaitingReply extends Error {
  override readonly name: string = 'AwaitingReply';

  constructor() {
    super('The call waits for an answer of the client');
  }
}

/** People answer, so the protocol's usual minute is too short. The call's own limits hold as well. */
const replyMs = 600_000;

/** Asks by requests of the server, as protocols before 2026-07-28 do. */
export class PushedQuestions implements QuestionChannel {
  readonly #request: RequestContext;

  constructor(request: RequestContext) {
    this.#request = request;
  }

  put(_key: string, { method, params }: WireQuestion): Promise<unknown> {
    const { send, signal } = this.#request.mcpReq;
    // Pages have an id in 2025-11-25, which later protocols dropped.
    const complete = params.mode === 'url' ? { ...params, elicitationId: randomUUID() } : params;
    return send({ method, params: complete }, { timeout: replyMs, signal });
  }

  forget(): void {}
}

/**
 * Asks by the answer of the call, as 2026-07-28 does: what has no answer yet is kept for the client,
 * and the handler's run ends.
 */
export class ReturnedQuestions implements QuestionChannel {
  readonly #answers: Map<string, unknown>;
  readonly #open: Map<string, WireQuestion> = new Map();
  readonly #used: Map<string, unknown> = new Map();

  constructor(answers: Readonly<Record<string, unknown>>) {
    this.#answers = new Map(Object.entries(answers));
  }

  /** The questions of this run that wait for an answer. */
  get open(): ReadonlyMap<string, WireQuestion> {
    return this.#open;
  }

  /** The answers that this run used, to be carried to the next one. */
  get answers(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(this.#used);
  }

  async put(key: string, question: WireQuestion): Promise<unknown> {
    if (this.#answers.has(key)) {
      const answer = this.#answers.get(key);
      this.#used.set(key, answer);
      return answer;
    }
    this.#open.set(key, question);
    throw new AwaitingReply();
  }

  forget(key: string): void {
    this.#answers.delete(key);
    this.#used.delete(key);
  }
}
