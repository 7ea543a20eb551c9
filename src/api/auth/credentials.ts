import type { Awaitable, CallOptions } from '../../core/index.js';
import type { HTTPTransport } from '../../drivers/http/index.js';
import { Coalescer } from '../../resilience/index.js';
import { type AuthHeader, type Credential, toHeader } from './auth-header.js';
import type { OAuth2ClientCredentials } from './oauth2-options.js';
import { OAuth2Tokens } from './oauth2-tokens.js';

/** What a function that gives credentials is told. */
export interface CredentialRequest {
  /** Ends when the last of the callers has given up. */
  readonly signal: AbortSignal;
  /** True when the server refused the last one with 401: give a new one. */
  readonly rejected: boolean;
}

/** Gives the current credential. */
export type CredentialProvider = (request: CredentialRequest) => Awaitable<Credential>;

/**
 * A credential, OAuth 2.0 client credentials, or a function that gives the current credential. The function is
 * asked for every request, once for callers at the same time; and once for all of them when the server answers
 * 401, with `rejected: true`: what it gives then is tried once.
 */
export type Auth = Credential | OAuth2ClientCredentials | CredentialProvider;

/** Where the header of a request comes from. */
interface HeaderSource {
  current(options: CallOptions): Promise<AuthHeader>;
  /** Another one in the place of one that was refused; undefined when there is none. */
  replacement?(refused: AuthHeader, options: CallOptions): Promise<AuthHeader>;
  close?(): Promise<void>;
}

/** Gives the header of the current credential. Fixed ones are checked at once, others when they arrive. */
export class Credentials {
  readonly #source: HeaderSource;

  /**
   * @param transport asks for tokens. @default one of its own
   * @throws ConfigurationError that names `field`
   */
  constructor(auth: Auth, field: string, transport?: HTTPTransport) {
    if (typeof auth === 'function') this.#source = new Provided(auth, field);
    else if (isOAuth2(auth)) this.#source = new OAuth2Tokens(auth, field, transport);
    else {
      const expected = 'a token, a credential object, or a function that gives one of them';
      const fixed = Promise.resolve(toHeader(auth, field, expected));
      this.#source = { current: () => fixed };
    }
  }

  /** True when the header is the same for every request. */
  get isFixed(): boolean {
    return this.#source.replacement === undefined;
  }

  header(options: CallOptions): Promise<AuthHeader> {
    return this.#source.current(options);
  }

  /** The header to try after one was refused; undefined when it would be the same. */
  async replacement(refused: AuthHeader, options: CallOptions): Promise<AuthHeader | undefined> {
    const fresh = await this.#source.replacement?.(refused, options);
    return fresh && fresh.value !== refused.value ? fresh : undefined;
  }

  async close(): Promise<void> {
    await this.#source.close?.();
  }
}

/** Credentials of a function. */
class Provided implements HeaderSource {
  readonly #provide: CredentialProvider;
  readonly #field: string;
  readonly #asking: Coalescer<AuthHeader> = new Coalescer();
  /** What took the place of what, for callers who were refused a little later. */
  #replaced: { readonly refused: string; readonly by: AuthHeader } | undefined;

  constructor(provide: CredentialProvider, field: string) {
    this.#provide = provide;
    this.#field = field;
  }

  current(options: CallOptions): Promise<AuthHeader> {
    return this.#ask(false, options);
  }

  async replacement({ value }: AuthHeader, options: CallOptions): Promise<AuthHeader> {
    if (this.#replaced?.refused === value) return this.#replaced.by;
    const by = await this.#ask(true, options);
    if (by.value !== value) this.#replaced = { refused: value, by };
    return by;
  }

  #ask(rejected: boolean, options: CallOptions): Promise<AuthHeader> {
    const ask = async (signal: AbortSignal): Promise<AuthHeader> =>
      toHeader(await this.#provide({ signal, rejected }), `the result of ${this.#field}()`);
    return this.#asking.run(rejected ? 'another' : 'current', ask, options);
  }
}

function isOAuth2(auth: unknown): auth is OAuth2ClientCredentials {
  return typeof auth === 'object' && auth !== null && (auth as { type?: unknown }).type === 'oauth2';
}
