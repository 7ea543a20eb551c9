import { bytesOf, invalid, lengthPrefixed } from './bytes.js';
import type { SealContext } from './encryptor-options.js';

const none: Buffer = Buffer.alloc(0);

/** What sealed data is bound to, besides its header. */
export class Binding {
  readonly #owner: Buffer;
  readonly #bound: boolean;

  /** @param owner The `context` of the Encryptor. */
  constructor(owner: string | undefined) {
    this.#owner = bytesOf(owner ?? '', 'context');
    this.#bound = owner !== undefined && owner !== '';
  }

  /**
   * The context of one call, checked.
   *
   * @throws ValidationError when neither the call nor the Encryptor has one
   */
  contextOf(options: SealContext | undefined, call: string): Buffer {
    const context = options?.context;
    if (context !== undefined) return bytesOf(context, 'context');
    if (this.#bound) return none;
    throw invalid(
      'context',
      `is missing: ${call}(..., { context }) says what the data belongs to, such as 'user:42/ssn'`,
    );
  }

  /** Header, owner and context, and the path of a field: each after its length, so that none can pass for another. */
  of(header: Uint8Array, context: Uint8Array, path?: string): Buffer {
    return path === undefined
      ? lengthPrefixed(header, this.#owner, context)
      : lengthPrefixed(header, this.#owner, context, Buffer.from(path));
  }

  /** For keyed digests, which have no header. */
  ofDigest(...parts: readonly string[]): Buffer {
    return lengthPrefixed(this.#owner, ...parts.map((part) => bytesOf(part, 'context')));
  }
}
