import { UnsupportedError } from '../../core/index.js';

/**
 * A handler asked what the client cannot answer. To clients of 2026-07-28 it becomes the protocol's
 * `MissingRequiredClientCapability` (-32021), to earlier ones a text.
 */
export class MissingCapabilityError extends UnsupportedError {
  /** What the client would have to declare, in the shape of `ClientCapabilities`. */
  readonly required: Readonly<Record<string, object>>;

  constructor(what: string, required: Readonly<Record<string, object>>) {
    super(`The client cannot ${what}: it does not declare the capability ${Object.keys(required).join(', ')}`);
    this.required = required;
  }
}
