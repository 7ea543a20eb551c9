import { nameError, SaflaError } from './safla-error.js';

/**
 * An option, file or constructor argument is missing or wrong. Thrown before anything is opened.
 * `field` names it (`policy.timeoutMs`, `servers.files.command`).
 */
export class ConfigurationError extends SaflaError {
  static {
    nameError(this, 'ConfigurationError');
  }

  readonly field?: string;

  constructor(message: string, options: { readonly field?: string; readonly cause?: unknown } = {}) {
    super(message, { code: 'CONFIGURATION', cause: options.cause });
    if (options.field !== undefined) this.field = options.field;
  }
}
