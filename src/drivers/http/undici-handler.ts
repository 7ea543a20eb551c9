import type { Dispatcher } from 'undici';
import type { Exchange } from './exchange.js';
import type { BodySource } from './incoming-body.js';
import type { HTTPHeaders } from './transport.js';

let unwanted: Error | undefined;

/** Only undici sees it. Made once: thousands of calls can be cancelled at the same time. */
function notWanted(): Error {
  unwanted ??= new Error('the answer is no longer wanted');
  return unwanted;
}

/** Tells an {@link Exchange} what undici reports, without the stream that `undici.request` would make. */
export class UndiciHandler implements Dispatcher.DispatchHandler, BodySource {
  readonly #exchange: Exchange;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Thrown here, it takes the request off the line and leaves the connection to the next one.
    if (this.#exchange.stopped) throw notWanted();
    this.#controller = controller;
    this.#exchange.connect(this);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: object): void {
    // 100 to 199 announce the answer that follows.
    if (status >= 200) this.#exchange.begin(status, headers as HTTPHeaders);
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#exchange.body.push(chunk);
  }

  onResponseEnd(): void {
    this.#exchange.end();
  }

  onResponseError(_: unknown, error: Error): void {
    this.#exchange.fail(error);
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  destroy(): void {
    this.#controller?.abort(notWanted());
  }
}
