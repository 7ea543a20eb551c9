import { SaflaError } from '../core/index.js';
import { nameError } from '../core/internal.js';

/** One way that was tried to get a service, and why it gave none. */
export interface ServiceAttempt {
  /** `postgres`, `redis`. */
  readonly service: string;
  /** What was tried, as it reads in the message: `POSTGRES_URL or DATABASE_URL`. */
  readonly way: string;
  readonly reason: string;
  /** False when the way is merely absent; true when it was there and did not work. */
  readonly broken: boolean;
  readonly cause?: unknown;
}

/**
 * No way to get a service worked. The message lists each way with its reason, and the one command
 * that helps; `attempts` holds the same as data.
 */
export class ServiceUnavailableError extends SaflaError {
  static {
    nameError(this, 'ServiceUnavailableError');
  }

  readonly attempts: readonly ServiceAttempt[];
  /** For each service that is missing: what to run or set to get it. */
  readonly remedies: readonly string[];

  constructor(attempts: readonly ServiceAttempt[], remedies: readonly string[]) {
    const services = [...new Set(attempts.map(({ service }) => service))];
    const tried = attempts.map(({ service, way, reason }) => `\n  ${service}: ${way}: ${reason}`);
    super(`No ${services.join(', no ')} for tests. Tried:${tried.join('')}\n${remedies.join('\n')}`, {
      code: 'SERVICE_UNAVAILABLE',
      cause: attempts.findLast(({ cause }) => cause !== undefined)?.cause,
    });
    this.attempts = attempts;
    this.remedies = remedies;
  }
}
