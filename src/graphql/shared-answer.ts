import type { ExecutionAnswer } from './execution-client.js';
import { type ExecutionResult, executionResults } from './execution-result.js';

/** An answer that several callers may wait for. Each gets results of its own, to change as it likes. */
export class SharedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly attempts: number;
  readonly #text: string;
  #results: readonly ExecutionResult[] | undefined;

  constructor({ status, headers, text }: ExecutionAnswer, results: readonly ExecutionResult[], attempts: number) {
    this.status = status;
    this.headers = headers;
    this.attempts = attempts;
    this.#text = text;
    this.#results = results;
  }

  /** The first result, left where it is. */
  peek(): ExecutionResult | undefined {
    return this.#results?.[0];
  }

  /** The results; parsed anew for all callers but the first. */
  take(): readonly ExecutionResult[] {
    const results = this.#results ?? executionResults(this.#text) ?? [];
    this.#results = undefined;
    return results;
  }
}
