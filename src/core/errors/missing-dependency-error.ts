import { nameError, SaflaError } from './safla-error.js';

/** An optional package is not installed. The message holds the command that installs it. */
export class MissingDependencyError extends SaflaError {
  static {
    nameError(this, 'MissingDependencyError');
  }

  /** The package's npm name. */
  readonly dependency: string;

  constructor(dependency: string, neededBy: string, cause?: unknown) {
    super(`${neededBy} needs the package '${dependency}', which is not installed. Run: npm install ${dependency}`, {
      code: 'MISSING_DEPENDENCY',
      cause,
    });
    this.dependency = dependency;
  }
}
