import { nameError, SaflaError } from './safla-error.js';

/** One thing that does not match: where, and what was expected. Never the value itself. */
export interface ValidationIssue {
  /** Keys and indexes from the root, empty for the root itself. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Data does not match its schema, or an argument its documented shape. Holds no values. */
export class ValidationError extends SaflaError {
  static {
    nameError(this, 'ValidationError');
  }

  readonly issues: readonly ValidationIssue[];

  /** @param subject What was checked, as it should read in the message: `answer of GET /orders`. */
  constructor(subject: string, issues: readonly ValidationIssue[], options: { readonly cause?: unknown } = {}) {
    super(`${subject}: ${summary(issues)}`, { code: 'VALIDATION', cause: options.cause });
    this.issues = issues;
  }
}

function summary(issues: readonly ValidationIssue[]): string {
  const shown = issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length ? `${path.map(String).join('.')}: ${message}` : message));
  const more = issues.length - shown.length;
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
