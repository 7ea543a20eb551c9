import { is, type OptionChecks } from '../../core/internal.js';
import { type RequestOptions, requestChecks } from '../api-call.js';

/** Settings of `stream`. `timeoutMs` lasts until the head of the answer is there; from then on `idleTimeoutMs` and `signal` count. */
export interface APIStreamOptions extends Omit<RequestOptions, 'schema' | 'cache'> {
  /** Longest silence between two parts of the answer, in milliseconds. @default 300000 */
  readonly idleTimeoutMs?: number;
  /** Longest answer in bytes, counted after decompression. @default Infinity */
  readonly maxBytes?: number;
}

const { schema: _, cache: __, ...shared } = requestChecks;

export const streamChecks: OptionChecks<APIStreamOptions> = {
  ...shared,
  idleTimeoutMs: is.milliseconds,
  maxBytes: is.count,
};
