import { redact, redactText } from '../redact.js';
import type { ErrorCode } from './codes.js';

const brand: unique symbol = Symbol.for('@safla/sdk/error');

/** What every {@link SaflaError} is made of. */
export interface SaflaErrorOptions {
  readonly code: ErrorCode;
  /** True when the same call may succeed later without a change by the caller. @default false */
  readonly retryable?: boolean;
  /** The error this one stands for. It is kept as given: pass nothing that holds credentials. */
  readonly cause?: unknown;
}

/**
 * The base of every error this SDK throws. Branch on `code` (stable) or on the subclass, never on
 * the message. Messages name what failed, on what, why, and what to do; credentials in them are
 * masked.
 *
 * Use {@link SaflaError.is} rather than `instanceof` where two copies of the package may be loaded.
 *
 * @example
 * try { await api.request('/orders/1'); }
 * catch (error) { if (SaflaError.is(error) && error.retryable) scheduleRetry(); else throw error; }
 */
export class SaflaError extends Error {
  static {
    Object.defineProperty(this.prototype, brand, { value: true });
    Object.defineProperty(this.prototype, 'name', { value: 'SaflaError', writable: true, configurable: true });
  }

  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(message: string, options: SaflaErrorOptions) {
    super(redactText(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.retryable = options.retryable ?? false;
  }

  /** True for an error of this SDK, also one from another copy of the package. */
  static is(value: unknown): value is SaflaError {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** A plain, redacted object for logs and transports: no stack, the causes' names and messages only. */
  toJSON(): Record<string, unknown> {
    const own = redact(Object.fromEntries(Object.entries(this))) as Record<string, unknown>;
    return { name: this.name, message: this.message, ...own, ...describeCause(this.cause) };
  }
}

function describeCause(cause: unknown): { cause?: unknown } {
  if (cause === undefined) return {};
  if (SaflaError.is(cause)) return { cause: cause.toJSON() };
  if (cause instanceof Error) return { cause: { name: cause.name, message: redactText(cause.message) } };
  return { cause: redact(cause) };
}

/** Gives an error class its `name` on the prototype, where it is neither enumerable nor lost to minifiers. */
export function nameError(type: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(type.prototype, 'name', { value: name, writable: true, configurable: true });
}
