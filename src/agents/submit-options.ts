import { ConfigurationError } from '../core/index.js';
import { checkOptions, is, type OptionCheck, type OptionChecks } from '../core/internal.js';
import type { SubmitOptions } from './task-handle.js';

const priorityCheck: OptionCheck = (value, field) => {
  if (!Number.isFinite(value))
    throw new ConfigurationError(`${field} must be a finite number, got ${value}`, { field });
};

const checks: OptionChecks<SubmitOptions> = {
  priority: priorityCheck,
  idempotencyKey: is.text,
  signal: is.object,
  timeoutMs: is.milliseconds,
};

/** @throws ConfigurationError */
export function checkSubmitOptions(owner: string, options: SubmitOptions): void {
  // Once per task: the common case is told by looking, not by walking through all checks.
  if (isPriorityOnly(options)) return;
  checkOptions(owner, options, checks);
}

function isPriorityOnly(options: SubmitOptions): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) if (name !== 'priority' || !Number.isFinite(options.priority)) return false;
  return true;
}
