import type { CallScope } from '../../core/index.js';
import { flatHeaders, HTTPError, type HTTPResponse } from '../../drivers/http/index.js';
import type { Attempt } from '../../resilience/index.js';
import type { APICall } from '../api-call.js';
import type { APISettings } from '../api-options.js';
import { withNewCredential } from '../auth/renewal.js';
import type { OriginPacer } from '../origin-pacer.js';
import type { Pacing } from '../pacing.js';
import { type PreparedRequest, prepare, safeMethods } from '../prepared-request.js';
import { decodeContent } from '../response-content.js';
import type { Wire } from '../wire.js';
import { APIStream } from './api-stream.js';
import type { APIStreamOptions } from './stream-options.js';

const largestErrorBytes = 65_536;

/** Bounds of the part of a stream that comes after its head. */
export type StreamBounds = Required<Pick<APIStreamOptions, 'idleTimeoutMs' | 'maxBytes'>>;

/** Sends requests whose answers are read while they come in: policy > wire, as far as the head. */
export class StreamOpener {
  readonly #settings: APISettings;
  readonly #wire: Wire;
  readonly #pacing: Pacing | undefined;

  constructor(settings: APISettings, wire: Wire, pacing: Pacing | undefined) {
    this.#settings = settings;
    this.#wire = wire;
    this.#pacing = pacing;
  }

  /** @throws HTTPError for a status outside 200-299 */
  async open(call: APICall, scope: CallScope, bounds: StreamBounds): Promise<APIStream> {
    const request = await prepare(call, this.#settings, scope);
    try {
      return await this.#execute(request, bounds);
    } catch (error) {
      const renewed = await withNewCredential(request, error, this.#settings.credentials);
      if (!renewed) throw error;
      return await this.#execute(renewed, bounds);
    }
  }

  async #execute(request: PreparedRequest, bounds: StreamBounds): Promise<APIStream> {
    const { policy, cache } = this.#settings;
    const { url, subject, repeatable, scope } = request;
    const key = url.origin;
    const gate = this.#pacing?.of(key);
    const work = (attempt: Attempt): Promise<APIStream> => this.#attempt(request, attempt, bounds, gate);
    try {
      return await policy.execute(work, { scope, key, subject, idempotent: repeatable, ...(gate && { gate }) });
    } finally {
      if (!safeMethods.has(request.method)) cache?.invalidate(url.href);
    }
  }

  /** The attempt ends with the head; what comes after has a controller of its own. */
  async #attempt(
    request: PreparedRequest,
    attempt: Attempt,
    bounds: StreamBounds,
    pacer: OriginPacer | undefined,
  ): Promise<APIStream> {
    const controller = new AbortController();
    const abort = (reason: unknown): void => controller.abort(reason);
    const unfollow = attempt.onCancel(abort);
    try {
      const response = await this.#wire.open(request, controller.signal, bounds.maxBytes, attempt.number);
      const headers = flatHeaders(response.headers);
      const learning = pacer?.learn(headers);
      if (learning) await learning;
      const { status, body } = response;
      if (status < 200 || status > 299) throw await refusal(request, response, headers);
      const { subject } = request;
      const { idleTimeoutMs } = bounds;
      return new APIStream({ status, headers, attempts: attempt.number, body, subject, abort, idleTimeoutMs });
    } finally {
      unfollow();
    }
  }
}

async function refusal(
  { method, url, subject }: PreparedRequest,
  { status, body }: HTTPResponse,
  headers: Readonly<Record<string, string>>,
): Promise<HTTPError> {
  let data: unknown;
  try {
    data = decodeContent({ status, headers, body: await shortBody(body) }, subject);
  } catch {
    // An error page that cannot be read: the status is what counts.
  }
  return new HTTPError({ method, url: url.href, status, headers, data });
}

/** Leaving the loop frees the connection of a page that goes on and on. */
async function shortBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > largestErrorBytes) return new Uint8Array();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
