import { SaflaError } from '../../core/index.js';
import { ToolError } from './tool-error.js';

/** What a caller can mend. How to get in, and what a server suffers from, is not for callers. */
const toldKinds: ReadonlySet<unknown> = new Set([
  'unique',
  'foreign-key',
  'not-null',
  'check',
  'exclusion',
  'statement-timeout',
  'lock-timeout',
  'read-only',
  'invalid-value',
  'syntax',
  'undefined-object',
  'permission',
]);

/** Lets the caller read a database's complaint about what the caller sent. */
export async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!SaflaError.is(error)) throw error;
    const { kind } = error as { kind?: unknown };
    if (error.code === 'VALIDATION' || error.code === 'UNSUPPORTED' || toldKinds.has(kind))
      throw new ToolError(error.message, { cause: error });
    throw error;
  }
}
