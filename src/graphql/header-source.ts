import { type Awaitable, type CallOptions, ConfigurationError } from '../core/index.js';
import { is } from '../core/internal.js';
import { checkedHeaders } from '../drivers/http/index.js';
import { Coalescer } from '../resilience/index.js';

/** Header fields; entries that are undefined are left out. */
export type GraphQLHeaders = Readonly<Record<string, string | undefined>>;

/** What a function that gives headers is told. */
export interface GraphQLHeadersRequest {
  /** Ends when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** True when the server answered 401 to the last ones: get a new token rather than the kept one. */
  readonly refresh: boolean;
}

/** Headers as they were given at one time. */
export interface IssuedHeaders {
  /** By lower-case name, checked. */
  readonly fields: Readonly<Record<string, string>>;
  /** How many refreshes came before. */
  readonly generation: number;
}

type Give = (request: GraphQLHeadersRequest) => Awaitable<GraphQLHeaders>;

/** The headers of every request: fixed, or asked of a function for each one. */
export class HeaderSource {
  readonly #field: string;
  readonly #fixed: IssuedHeaders | undefined;
  readonly #give: Give | undefined;
  readonly #asking: Coalescer<IssuedHeaders> = new Coalescer();
  #generation = 0;

  /** @throws ConfigurationError that names `field` */
  constructor(headers: GraphQLHeaders | Give, field: string) {
    this.#field = field;
    if (typeof headers === 'function') this.#give = headers;
    else this.#fixed = this.#issued(headers, field);
  }

  /** How often a refused credential was asked for again. */
  get refreshes(): number {
    return this.#generation;
  }

  /** True when asking again could give something else. */
  get canRefresh(): boolean {
    return this.#give !== undefined;
  }

  /** The current headers. Callers at the same time share one question. */
  current(options: CallOptions): IssuedHeaders | Promise<IssuedHeaders> {
    return this.#fixed ?? this.#asking.run('current', (signal) => this.#ask({ signal, refresh: false }), options);
  }

  /** New headers in the place of refused ones, asked for once for all who were refused with them. */
  async refreshed(refused: IssuedHeaders, options: CallOptions): Promise<IssuedHeaders> {
    if (refused.generation < this.#generation) return this.current(options);
    return this.#asking.run(
      'refresh',
      async (signal) => {
        const { fields } = await this.#ask({ signal, refresh: true });
        this.#generation += 1;
        return { fields, generation: this.#generation };
      },
      options,
    );
  }

  async #ask(request: GraphQLHeadersRequest): Promise<IssuedHeaders> {
    return this.#issued(await this.#give?.(request), `the result of ${this.#field}()`);
  }

  #issued(headers: unknown, field: string): IssuedHeaders {
    is.object(headers, field);
    try {
      return { fields: checkedHeaders(headers as GraphQLHeaders, field), generation: this.#generation };
    } catch (error) {
      throw new ConfigurationError((error as Error).message, { field });
    }
  }
}
