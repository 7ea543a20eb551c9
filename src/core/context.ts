import { randomUUID } from 'node:crypto';
import { type CallScope, openScope } from './call-scope.js';
import { contextStore } from './context-store.js';
import type { Awaitable, CallOptions } from './types.js';

/** What {@link withContext} puts around a piece of work. */
export interface ContextOptions extends CallOptions {
  /** Ties logs, spans, outgoing requests and events of this work together. @default the outer one, else a new UUID */
  readonly correlationId?: string;
}

/** The context that is active here. */
export interface CurrentContext {
  readonly correlationId: string | undefined;
  /** Ends with the active context; undefined outside of one. Made on first read. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds left of the active time budget; `Infinity` without one. */
  readonly remainingMs: number;
}

/**
 * Runs `fn` so that everything it awaits in this SDK shares one cancellation, one time budget and one
 * correlation id, with nothing passed by hand (AsyncLocalStorage). Contexts nest: the inner one can
 * only shorten the outer one. When the signal aborts or the time is over, the returned promise
 * rejects at once and all calls inside are cancelled with it.
 *
 * @throws the signal's reason, or TimeoutError when `timeoutMs` is over
 * @example await withContext({ timeoutMs: 2_000 }, async () => { await api.get('/a'); await db.sql`select 1`; });
 */
export async function withContext<T>(options: ContextOptions, fn: () => Awaitable<T>): Promise<T> {
  using scope = openScope('the surrounding context', options);
  const correlationId = options.correlationId || correlationIdHere() || randomUUID();
  return await scope.run(() => enterScope(scope, correlationId, fn));
}

/** {@link withContext} for an owner that holds a scope already and waits on it itself. */
export function enterScope<T>(scope: CallScope, correlationId: string, fn: () => T): T {
  return contextStore().run({ scope, correlationId }, fn);
}

/**
 * Runs `fn` outside the active cancellation and time budget, for work that must outlive its caller
 * (an audit record, a cache refresh). The correlation id stays.
 */
export function detach<T>(fn: () => T): T {
  const stored = contextStore().getStore();
  if (!stored?.scope) return fn();
  const { correlationId } = stored;
  return contextStore().run(correlationId === undefined ? {} : { correlationId }, fn);
}

/** The context that is active where this is called. */
export function currentContext(): CurrentContext {
  const stored = contextStore().getStore();
  return {
    correlationId: stored?.correlationId,
    get signal() {
      return stored?.scope?.signal;
    },
    get remainingMs() {
      return stored?.scope?.remainingMs ?? Number.POSITIVE_INFINITY;
    },
  };
}

/** The active correlation id, if any. */
export function correlationIdHere(): string | undefined {
  return contextStore().getStore()?.correlationId;
}
