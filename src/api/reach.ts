import { type AddressGuard, AllowList } from '../drivers/http/index.js';
import type { BaseURL } from './base-url.js';
import type { Query } from './query.js';

/** What of the Internet an API may touch beside its base. */
export interface SecurityOptions {
  /**
   * Other origins that endpoints and redirects may name: `https://files.example.com`,
   * `https://*.example.com` (any host below it), `https://*` (any host). Ports are exact. Their addresses
   * have to be public, checked as the connection is made; blocks such as `10.20.0.0/16` open others, and
   * a private address or local name that is listed as an origin is open itself. Neither the credential
   * nor the headers of the API go there. @default none
   */
  readonly allow?: readonly string[];
}

/** Where requests and redirects may go: under the base, and to the origins that were allowed. */
export class Reach {
  readonly #base: BaseURL;
  readonly #list: AllowList | undefined;

  /** @throws ConfigurationError that names the entry */
  constructor(base: BaseURL, { allow }: SecurityOptions, field: string) {
    this.#base = base;
    this.#list = allow && allow.length > 0 ? new AllowList(allow, `${field}.allow`) : undefined;
  }

  /**
   * The final URL of an endpoint, under the base or of an allowed origin.
   *
   * @throws ValidationError for any other
   */
  resolve(endpoint: string, query?: Query): URL {
    return this.#base.resolve(endpoint, query, this.#list && ((url) => this.allows(url)));
  }

  /** True for another origin that was allowed. */
  allows(url: URL): boolean {
    return url.origin !== this.#base.origin && (this.#list?.allows(url) ?? false);
  }

  mayFollow(target: URL, from: URL): boolean {
    // Back into the base from outside, a redirect would choose what is asked behind our own trust.
    if (target.origin === this.#base.origin && from.origin === target.origin) return this.#base.contains(target);
    return this.allows(target);
  }

  /** The base was configured, so it may be anywhere; all else is looked at. */
  guardFor(url: URL): AddressGuard | undefined {
    return url.origin === this.#base.origin ? undefined : this.#list?.guard;
  }
}
