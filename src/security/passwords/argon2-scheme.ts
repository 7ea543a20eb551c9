import { randomBytes } from 'node:crypto';
import { importOptional, lazy } from '../../core/internal.js';
import type { PasswordScheme } from './password-scheme.js';

/** How hard an argon2id hash is to make (RFC 9106). The defaults are OWASP's least. */
export interface Argon2Options {
  /** KiB. @default 19456 */
  readonly memoryKiB?: number;
  /** @default 2 */
  readonly passes?: number;
  /** @default 1 */
  readonly parallelism?: number;
}

/** The part of `@node-rs/argon2` that is used. */
interface Argon2 {
  hash(password: string, options: { memoryCost: number; timeCost: number; parallelism: number }): Promise<string>;
  verify(stored: string, password: string): Promise<boolean>;
}

const loadArgon2 = lazy(() =>
  importOptional('@node-rs/argon2', 'PasswordHasher with argon2id', async (): Promise<Argon2> => {
    try {
      return await import('@node-rs/argon2');
    } catch (error) {
      throw error as Error;
    }
  }),
);

const form = /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,172}$/;

/** A planted hash must not take the machine's memory, or a thread for minutes. */
const maxMemoryKiB = 1_048_576;
const maxPasses = 64;

/** argon2id in its PHC form. */
export class Argon2Scheme implements PasswordScheme {
  readonly #memoryKiB: number;
  readonly #passes: number;
  readonly #parallelism: number;

  constructor(options: Argon2Options) {
    this.#memoryKiB = options.memoryKiB ?? 19_456;
    this.#passes = options.passes ?? 2;
    this.#parallelism = options.parallelism ?? 1;
  }

  async hash(password: string): Promise<string> {
    const { hash } = await loadArgon2();
    const [memoryCost, timeCost, parallelism] = [this.#memoryKiB, this.#passes, this.#parallelism];
    return hash(password, { memoryCost, timeCost, parallelism });
  }

  owns(stored: string): boolean {
    const [, memory, passes] = form.exec(stored) ?? [];
    return Number(memory) <= maxMemoryKiB && Number(passes) <= maxPasses;
  }

  async verify(password: string, stored: string): Promise<boolean> {
    const { verify } = await loadArgon2();
    return verify(stored, password);
  }

  isOutdated(stored: string): boolean {
    return !stored.startsWith(`$argon2id$v=19${this.#parameters()}`);
  }

  dummy(): string {
    const salt = randomBytes(16).toString('base64').replaceAll('=', '');
    return `$argon2id$v=19${this.#parameters()}${salt}$${'A'.repeat(43)}`;
  }

  #parameters(): string {
    return `$m=${this.#memoryKiB},t=${this.#passes},p=${this.#parallelism}$`;
  }
}
