import { CallScope } from '../../core/index.js';
import { isDecodable, packedBytes, UnpackedContent } from './content-coding.js';
import { type BodySource, IncomingBody } from './incoming-body.js';
import { tooLarge } from './response-body.js';
import type { HTTPHeaders, HTTPRequest, HTTPResponse } from './transport.js';
import { wireFailure } from './wire-failure.js';

/** The limits of a transport. */
export interface WireLimits {
  readonly maxResponseBytes: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/**
 * One request on the wire: a driver reports to it, the caller gets the head and then the content. It follows
 * the request's cancellation until the last byte, and settles at once when that comes, wherever the driver
 * is with the request.
 */
export class Exchange implements BodySource {
  /** Rejects with typed errors, or the reason of the cancellation. */
  readonly response: Promise<HTTPResponse>;
  readonly body: IncomingBody;
  readonly #request: HTTPRequest;
  readonly #limits: WireLimits;
  readonly #maxBytes: number;
  readonly #onOver: (exchange: Exchange) => void;
  #source: BodySource | undefined;
  #resolve: (response: HTTPResponse) => void = noop;
  #reject: (error: unknown) => void = noop;
  #unfollow: () => void = noop;
  #stopped: { readonly reason: unknown } | undefined;

  /** @param onOver told when there is nothing more to do: the last byte came, it failed, or nobody wants it */
  constructor(request: HTTPRequest, limits: WireLimits, onOver: (exchange: Exchange) => void) {
    this.#request = request;
    this.#limits = limits;
    this.#onOver = onOver;
    this.#maxBytes = request.maxResponseBytes ?? limits.maxResponseBytes;
    this.body = new IncomingBody(this, this.#maxBytes, this.#subject);
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#follow();
  }

  /** True when nobody waits for the answer any more. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** The driver has taken the request up: from now on `source` is what can be stopped. */
  connect(source: BodySource): void {
    this.#source = source;
    if (this.#stopped) source.destroy();
  }

  /** The head of the answer has come. */
  begin(status: number, headers: HTTPHeaders): void {
    const hasBody = this.#request.method !== 'HEAD' && status !== 204 && status !== 304;
    // undici takes the length that a 304 may tell (RFC 9110 section 8.6) for content that is missing.
    if (!hasBody) this.end();
    if (hasBody && Number(headers['content-length']) > this.#maxBytes) {
      this.fail(tooLarge(this.#subject(), this.#maxBytes));
      this.destroy();
    } else {
      const coding = hasBody ? headers['content-encoding'] : undefined;
      const encoding = coding === undefined ? undefined : String(coding);
      this.#resolve(
        isDecodable(encoding) ? this.#unpacked(status, headers, encoding) : { status, headers, body: this.body },
      );
    }
  }

  end(): void {
    this.#over();
    this.body.end();
  }

  fail(error: unknown): void {
    this.#settle(this.#failure(error));
  }

  pause(): void {
    this.#source?.pause();
  }

  resume(): void {
    this.#source?.resume();
  }

  destroy(): void {
    this.#over();
    this.#source?.destroy();
  }

  #follow(): void {
    const { cancellation } = this.#request;
    const stop = (reason: unknown): void => {
      this.#stopped = { reason };
      this.#settle(reason);
      this.#source?.destroy();
    };
    if (cancellation) {
      this.#unfollow = cancellation.onCancel(stop);
    } else if (this.#request.signal) {
      const scope = new CallScope('the request', { signal: this.#request.signal });
      this.#unfollow = () => scope[Symbol.dispose]();
      scope.onCancel(stop);
    }
  }

  /** Once unpacked, the fields that describe the packed form would be wrong. */
  #unpacked(status: number, headers: HTTPHeaders, encoding: string): HTTPResponse {
    const { 'content-encoding': _, 'content-length': __, ...rest } = headers;
    const [maxBytes, subject] = [this.#maxBytes, this.#subject];
    this.body.maxBytes = packedBytes(maxBytes);
    const failure = (error: unknown): unknown => this.#failure(error);
    return { status, headers: rest, body: new UnpackedContent(this.body, { encoding, maxBytes, subject, failure }) };
  }

  #over(): void {
    this.#unfollow();
    this.#onOver(this);
  }

  #settle(error: unknown): void {
    this.#over();
    this.#reject(error);
    this.body.fail(error);
  }

  #failure(error: unknown): unknown {
    if (this.#stopped) return this.#stopped.reason;
    const { connectTimeoutMs, idleTimeoutMs } = this.#limits;
    return wireFailure(error, { subject: this.#subject(), connectTimeoutMs, idleTimeoutMs });
  }

  readonly #subject = (): string => subjectOf(this.#request);
}

/** A request as it reads in errors, without its query. */
export function subjectOf({ method, url }: Pick<HTTPRequest, 'method' | 'url'>): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

function noop(): void {}
