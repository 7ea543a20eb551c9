import { type CloseOptions, ConfigurationError } from '../core/index.js';
import { is, type OptionChecks } from '../core/internal.js';

/** How `close` of a `WebSocketIntegration` says goodbye. */
export interface WebSocketCloseOptions extends CloseOptions {
  /** 1000, or 3000 to 4999 for meanings of your own. @default 1000 */
  readonly code?: number;
  /** At most 123 bytes. @default '' */
  readonly reason?: string;
}

/** RFC 6455 section 5.5: a control frame carries 125 bytes, two of them the code. */
const maxReasonBytes = 123;

export const closeChecks: OptionChecks<WebSocketCloseOptions> = {
  timeoutMs(value, field) {
    if (value !== 0) is.milliseconds(value, field);
  },
  code(value, field) {
    const own = Number.isInteger(value) && Number(value) >= 3000 && Number(value) <= 4999;
    if (value !== 1000 && !own) throw new ConfigurationError(`${field} must be 1000, or 3000 to 4999`, { field });
  },
  reason(value, field) {
    if (typeof value !== 'string' || Buffer.byteLength(value) > maxReasonBytes)
      throw new ConfigurationError(`${field} must be a text of at most ${maxReasonBytes} bytes`, { field });
  },
};
