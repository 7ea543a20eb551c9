import { constants } from 'node:buffer';
import { type CallOptions, type CallScope, type Lifecycle, openScope } from '../../core/index.js';
import { bytesOf, invalid } from '../bytes.js';
import { headerOf } from '../inspect.js';
import type { DataKeys } from '../keys/data-keys.js';
import { type SuiteName, suites } from '../sealed-header.js';
import { longBytes, openLong, sealLong } from './long-message.js';
import { type Bind, openMessage, sealMessage } from './message.js';
import { bytesOfToken, isLongToken } from './token-text.js';

/** The longest string holds 4 characters for each 3 of these, with room for the header. */
const longestBytes: number = Math.floor(constants.MAX_STRING_LENGTH * 0.74);

/** Seals and opens tokens: at once when the data key is at hand and the data is short, else as a call. */
export class TokenCipher {
  readonly #keys: DataKeys;
  readonly #lifecycle: Lifecycle;

  constructor(keys: DataKeys, lifecycle: Lifecycle) {
    this.#keys = keys;
    this.#lifecycle = lifecycle;
  }

  seal(data: string | Uint8Array, format: SuiteName, options: CallOptions, bind: Bind): string | Promise<string> {
    this.#assertRunning('seal', options);
    if (isLong(data)) return this.#sealLong(data, options, bind);
    const bytes = bytesOf(data, 'data');
    const key = this.#keys.sealingNow(bytes.length);
    if (key) return sealMessage(key, bytes, format, bind);
    return this.#lifecycle.call('seal', options, async (scope) => {
      return sealMessage(await this.#keys.sealing(bytes.length, scope), bytes, format, bind);
    });
  }

  /** @throws DecryptError */
  open(token: string, options: CallOptions, bind: Bind): Buffer | Promise<Buffer> {
    this.#assertRunning('open', options);
    if (isLongToken(token)) {
      return this.#lifecycle.call('open', options, (scope) => this.#openLong(token, bind, scope));
    }
    const sealed = bytesOfToken(token);
    const header = headerOf(sealed, 'the token');
    const key = this.#keys.openingNow(header);
    if (key) return openMessage(key, sealed, header, bind);
    return this.#lifecycle.call('open', options, async (scope) => {
      return openMessage(await this.#keys.opening(header, 'the token', scope), sealed, header, bind);
    });
  }

  async #sealLong(data: string | Uint8Array, options: CallOptions, bind: Bind): Promise<string> {
    const bytes = Buffer.byteLength(data);
    if (bytes > longestBytes) throw invalid('data', 'is too long for a token; use sealStream');
    return this.#lifecycle.call('seal', options, async (scope) => {
      const key = await this.#keys.sealing(bytes, scope);
      const header = key.header(suites.chunked);
      return sealLong(data, { key: key.chunked, header, binding: bind(header) }, scope);
    });
  }

  async #openLong(token: string, bind: Bind, scope: CallScope): Promise<Buffer> {
    return openLong(
      token,
      async (header) => ({
        key: (await this.#keys.opening(header, 'the token', scope)).chunked,
        binding: bind(header.bytes),
      }),
      scope,
    );
  }

  /** A call that will not wait is refused after `close`, and when it is cancelled already. */
  #assertRunning(subject: string, options: CallOptions): void {
    this.#lifecycle.assertOpen();
    using scope = openScope(subject, options);
    scope.throwIfCancelled();
  }
}

/** False for what is neither a text nor bytes, which is told when it is read. */
function isLong(data: unknown): boolean {
  return (typeof data === 'string' || data instanceof Uint8Array) && data.length > longBytes;
}
