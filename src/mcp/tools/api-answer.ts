import { SaflaError } from '../../core/index.js';
import { readable } from './readable.js';
import { ToolError } from './tool-error.js';

/** What an API gave back. */
export interface APIAnswer {
  readonly data: unknown;
  readonly status: number;
  readonly fromCache?: boolean;
}

/**
 * Waits for an API's answer as a tool gives it. A status outside 200-299 is told as a readable error
 * without the body, which may hold anything; so is what was wrong with the arguments.
 *
 * @param what The request as it reads in errors: `GET /orders/1`.
 */
export async function apiAnswer(what: string, send: () => Promise<APIAnswer>): Promise<object> {
  try {
    const { status, fromCache = false, data } = await readable(['VALIDATION'], send);
    return { status, fromCache, data: data ?? null };
  } catch (error) {
    const { status } = error as { status?: unknown };
    if (SaflaError.is(error) && typeof status === 'number')
      throw new ToolError(`${what} was answered with status ${status}`, { cause: error });
    throw error;
  }
}
