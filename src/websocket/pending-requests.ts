import { type CallScope, QueueFullError, ValidationError } from '../core/index.js';

interface Pending<In> {
  readonly resolve: (answer: In) => void;
  readonly reject: (reason: unknown) => void;
  /** It went out on the connection there is: its answer can come on that one only. */
  sent: boolean;
}

/** Requests that wait for their answers, by id. */
export class PendingRequests<In> {
  readonly #max: number;
  readonly #pending: Map<string, Pending<In>> = new Map();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#pending.size;
  }

  /**
   * Runs `send` and waits for the answer.
   *
   * @throws ValidationError when a request with this id waits already; QueueFullError; what `send` rejects with; the scope's reason
   */
  async run(id: string, scope: CallScope, send: () => Promise<void>): Promise<In> {
    if (this.#pending.has(id))
      throw new ValidationError('request', [{ path: [], message: 'a request with the same id waits for its answer' }]);
    if (this.#pending.size >= this.#max)
      throw new QueueFullError('requests that wait for answers', `${this.#max} items`);
    try {
      return await scope.run(() => this.#exchange(id, send));
    } finally {
      this.#pending.delete(id);
    }
  }

  /** True when a request waited for it. */
  settle(id: string, answer: In): boolean {
    const pending = this.#pending.get(id);
    pending?.resolve(answer);
    return pending !== undefined;
  }

  /** For an answer that cannot be used. True when a request waited for it. */
  fail(id: string, error: unknown): boolean {
    const pending = this.#pending.get(id);
    pending?.reject(error);
    return pending !== undefined;
  }

  /** Ends those that were sent: no answer comes any more. */
  failSent(error: unknown): void {
    for (const { sent, reject } of this.#pending.values()) if (sent) reject(error);
  }

  #exchange(id: string, send: () => Promise<void>): Promise<In> {
    return new Promise((resolve, reject) => {
      const pending: Pending<In> = { resolve, reject, sent: false };
      this.#pending.set(id, pending);
      send().then(() => {
        pending.sent = true;
      }, reject);
    });
  }
}
