import { type ErrorCode, SaflaError } from '../../core/index.js';
import { ToolError } from './tool-error.js';

/**
 * Runs work on what the caller sent, and lets the caller read errors of these codes: what is wrong
 * with a series, a channel's name or an id, it can mend. Errors of other codes stay on the server.
 */
export async function readable<T>(codes: readonly ErrorCode[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (SaflaError.is(error) && codes.includes(error.code)) throw new ToolError(error.message, { cause: error });
    throw error;
  }
}
