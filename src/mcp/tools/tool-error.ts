import { SaflaError } from '../../core/index.js';
import { nameError } from '../../core/internal.js';

/**
 * A tool's failure that its caller may read: the message goes to the client as it is (credentials in
 * it are masked). Every other error reaches a client only as a reference to look up in the logs.
 *
 * @example if (order.refunded) throw new ToolError(`Order ${order.id} was refunded before`);
 */
export class ToolError extends SaflaError {
  static {
    nameError(this, 'ToolError');
  }

  constructor(message: string, options: { readonly retryable?: boolean; readonly cause?: unknown } = {}) {
    super(message, { code: 'TOOL_FAILED', ...options });
  }
}
