import { ClosedError } from '../../core/index.js';
import { Exchange, type WireLimits } from './exchange.js';
import { followRedirects } from './follow-redirects.js';
import type { HTTPRequest, HTTPResponse, HTTPTransport } from './transport.js';

/** What transports of our own share: redirects, the limits, and closing once what runs is over. */
export abstract class WireTransport implements HTTPTransport {
  protected readonly limits: WireLimits;
  readonly #running: Set<Exchange> = new Set();
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  protected constructor(limits: WireLimits) {
    this.limits = limits;
  }

  send(request: HTTPRequest): Promise<HTTPResponse> {
    return followRedirects(request, this.#exchange);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Puts the request on the wire. What it throws, and whatever comes after, is told to the exchange. */
  protected abstract dispatch(request: HTTPRequest, exchange: Exchange): Promise<void>;

  /** Closes connections of our own. None has a request that somebody waits for. */
  protected abstract release(): Promise<void>;

  protected assertOpen(): void {
    if (this.#closing) throw new ClosedError('the HTTP transport');
  }

  readonly #exchange = async (request: HTTPRequest): Promise<HTTPResponse> => {
    const exchange = new Exchange(request, this.limits, this.#over);
    if (!exchange.stopped) {
      this.#running.add(exchange);
      // Not waited for: a driver that is still being loaded must not hold up who leaves.
      this.dispatch(request, exchange).catch((error: unknown) => exchange.fail(error));
    }
    return exchange.response;
  };

  readonly #over = (exchange: Exchange): void => {
    if (this.#running.delete(exchange) && this.#running.size === 0) this.#idle?.();
  };

  async #close(): Promise<void> {
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    await this.release();
  }
}
