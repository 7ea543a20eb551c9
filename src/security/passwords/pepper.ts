import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { ConfigurationError, ValidationError } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';

/** A secret that is kept apart from the stored hashes, so that they alone cannot be guessed at. */
export interface PepperOptions {
  /** Written into stored hashes: letters, digits, `.`, `_` and `-`. */
  readonly id: string;
  /** 32 bytes or more. A text counts as its UTF-8 bytes. */
  readonly secret: string | Uint8Array;
}

const optionChecks: OptionChecks<PepperOptions> = { id: is.required(is.text), secret: is.required(is.anything) };
const marked = /^\$pepper\$id=([\w.-]{1,64})(\$.+)$/;

/** The peppers by id. What is stored says which one it was made with: `$pepper$id=k1$2b$12$...`. */
export class Peppers {
  readonly current: string | undefined;
  readonly #keys: Map<string, KeyObject> = new Map();

  constructor(current: PepperOptions | undefined, previous: readonly PepperOptions[]) {
    for (const pepper of current ? [current, ...previous] : previous) this.#add(pepper);
    this.current = current?.id;
  }

  /** Splits a stored text into the id of its pepper and the rest. */
  split(stored: string): { readonly id: string | undefined; readonly inner: string } {
    const [, id, inner = stored] = marked.exec(stored) ?? [];
    return { id, inner };
  }

  mark(inner: string): string {
    return this.current === undefined ? inner : `$pepper$id=${this.current}${inner}`;
  }

  /** @throws ValidationError when there is no such pepper any more */
  apply(password: string, id: string | undefined): string {
    if (id === undefined) return password;
    const key = this.#keys.get(id);
    if (!key) {
      const message = `was made with pepper '${id}', which is not among pepper and previousPeppers`;
      throw new ValidationError('stored password hash', [{ path: [], message }]);
    }
    return createHmac('sha256', key).update(password, 'utf8').digest('base64');
  }

  #add(pepper: PepperOptions): void {
    checkOptions('pepper', pepper, optionChecks);
    const { id, secret } = pepper;
    const bytes = typeof secret === 'string' ? Buffer.from(secret) : secret;
    const refuse = (field: string, problem: string): never => {
      throw new ConfigurationError(`${field} ${problem}`, { field });
    };
    if (!/^[\w.-]{1,64}$/.test(id)) refuse('pepper.id', 'must be of letters, digits, ".", "_" and "-"');
    if (!(bytes instanceof Uint8Array) || bytes.byteLength < 32) refuse('pepper.secret', 'must have 32 bytes or more');
    if (this.#keys.has(id)) refuse('pepper.id', `'${id}' is there twice`);
    this.#keys.set(id, createSecretKey(bytes));
  }
}
