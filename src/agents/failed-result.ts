import { SaflaError } from '../core/index.js';
import { describeError } from '../core/internal.js';
import type { FinalTaskState, TaskMetadata, TaskResult } from './task.js';

/** The result of a task that ended with an error: its text redacted, its kind in the metadata. */
export function failedResult(state: FinalTaskState, error: unknown, metadata: TaskMetadata): TaskResult {
  const facts = SaflaError.is(error) ? { code: error.code, retryable: error.retryable } : undefined;
  const failureReason = nameOf(error);
  return { success: false, error: describeError(error), metadata: { ...metadata, state, failureReason, ...facts } };
}

/** The class of what was thrown: anything can be. */
function nameOf(error: unknown): string {
  if (error instanceof Error) return String(error.name);
  return error === null ? 'null' : typeof error;
}
