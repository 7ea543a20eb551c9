import type { Awaitable, CallOptions } from '../core/index.js';

/** A value, or a function that is asked for it anew at each attempt. Its `signal` ends with the attempt. */
export type Fresh<T> = T | ((options: CallOptions) => Awaitable<T>);
