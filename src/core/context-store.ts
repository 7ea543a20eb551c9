import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallScope } from './call-scope.js';

/** What flows with a call through everything it awaits. */
export interface StoredContext {
  readonly scope?: CallScope;
  readonly correlationId?: string;
}

/** One store for the process, also when two copies of the package are loaded. */
const key: unique symbol = Symbol.for('@safla/sdk/context');
const shared = globalThis as { [key]?: AsyncLocalStorage<StoredContext> };

export function contextStore(): AsyncLocalStorage<StoredContext> {
  shared[key] ??= new AsyncLocalStorage<StoredContext>();
  return shared[key];
}

export function activeScope(): CallScope | undefined {
  return shared[key]?.getStore()?.scope;
}
