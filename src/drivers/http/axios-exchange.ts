import type { AxiosInstance, AxiosRequestConfig, AxiosResponse } from 'axios';
import { ClosedError, ConfigurationError, SaflaError, TimeoutError } from '../../core/index.js';
import { codeOf, withoutPayload } from '../without-payload.js';
import { flatHeaders } from './flat-headers.js';
import { tooLarge } from './response-body.js';
import type { HTTPHeaders, HTTPRequest, HTTPResponse } from './transport.js';
import { wireFailure } from './wire-failure.js';

/** An answer read to its end. */
export interface HTTPAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The headers that went out, after the interceptors. */
  readonly sent: Readonly<Record<string, string>>;
  /** True when redirects were followed: it is the answer of another URL than was asked. */
  readonly redirected: boolean;
}

/**
 * Sends one request by an axios instance and reads the answer, whatever its status. Interceptors run
 * as with plain axios; transforms do not: what is sent and what comes back are bytes. No error of axios
 * leaves here, they hold the request with its credentials and body.
 *
 * @throws ConnectionError TimeoutError ProtocolError ClosedError, the signal's reason, or what an interceptor threw
 */
export async function exchangeByAxios(client: AxiosInstance, request: HTTPRequest): Promise<HTTPAnswer> {
  try {
    return toAnswer(await client.request(toConfig(request)), request);
  } catch (error) {
    const refused = refusedAnswer(error);
    if (refused) return toAnswer(refused, request);
    request.signal?.throwIfAborted();
    throw failureOf(error, request);
  }
}

/**
 * {@link exchangeByAxios} up to the head of the answer; the caller reads the body, or leaves the loop over it.
 *
 * @throws as `exchangeByAxios`, also while the body is read
 */
export async function openByAxios(client: AxiosInstance, request: HTTPRequest): Promise<HTTPResponse> {
  const open = async (): Promise<AxiosResponse<unknown>> => {
    try {
      return await client.request({ ...toConfig(request), responseType: 'stream' });
    } catch (error) {
      const refused = refusedAnswer(error);
      if (refused) return refused;
      request.signal?.throwIfAborted();
      throw failureOf(error, request);
    }
  };
  const { data, ...head } = await open();
  const { status, headers } = toAnswer({ ...head, data: undefined }, request);
  return { status, headers, body: piecesOf(data, request) };
}

async function* piecesOf(data: unknown, request: HTTPRequest): AsyncGenerator<Uint8Array> {
  const isStream = typeof data === 'object' && data !== null && Symbol.asyncIterator in data;
  try {
    if (isStream) yield* data as AsyncIterable<Uint8Array>;
    else yield bytesOf(data);
  } catch (error) {
    request.signal?.throwIfAborted();
    throw wireFailure(error, { subject: subjectOf(request), connectTimeoutMs: 0, idleTimeoutMs: 0 });
  }
}

function toConfig({ method, url, headers, body, signal, maxResponseBytes }: HTTPRequest): AxiosRequestConfig<unknown> {
  return {
    url,
    baseURL: '',
    method,
    // False keeps axios from assuming a type for a body that came without one.
    headers: { 'content-type': false, ...headers },
    data: body,
    responseType: 'arraybuffer',
    transformRequest: [],
    transformResponse: [],
    allowAbsoluteUrls: true,
    // Followed by axios, a redirect to another host would take custom credential headers along.
    maxRedirects: 0,
    ...(signal && { signal }),
    ...(maxResponseBytes !== undefined && { maxContentLength: maxResponseBytes }),
  };
}

function toAnswer(response: AxiosResponse<unknown>, request: HTTPRequest): HTTPAnswer {
  if (typeof response?.status !== 'number' || typeof response.headers !== 'object') {
    throw new ConfigurationError(
      `${subjectOf(request)}: an interceptor of the axios client gave something other than a response; let it return the response itself`,
      { field: 'client' },
    );
  }
  return {
    status: response.status,
    headers: flatHeaders(response.headers as HTTPHeaders),
    body: bytesOf(response.data),
    sent: flatHeaders((response.config?.headers ?? {}) as HTTPHeaders),
    redirected: (response.request as { redirected?: unknown } | undefined)?.redirected === true,
  };
}

/** Adapters of hosts (mocks, recordings) may answer with what axios would have made of the bytes. */
function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data === undefined || data === null) return new Uint8Array();
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
}

interface AxiosFailure {
  readonly code?: string;
  readonly message: string;
  readonly cause?: unknown;
  readonly config?: { readonly timeout?: number };
  readonly response?: AxiosResponse<unknown>;
}

function axiosErrorOf(error: unknown): (Error & AxiosFailure) | undefined {
  return error instanceof Error && (error as { isAxiosError?: unknown }).isAxiosError === true ? error : undefined;
}

/** The answer whose status axios did not accept. Failures while a body is read have a `response` too, without its data. */
function refusedAnswer(error: unknown): AxiosResponse<unknown> | undefined {
  const failure = axiosErrorOf(error);
  const isStatus = failure?.code === 'ERR_BAD_REQUEST' || failure?.code === 'ERR_BAD_RESPONSE';
  return isStatus && !isTooLarge(failure) && failure.response?.data !== undefined ? failure.response : undefined;
}

function failureOf(error: unknown, request: HTTPRequest): unknown {
  const failure = axiosErrorOf(error);
  if (!failure) return error;
  const { cause, code } = failure;
  if (SaflaError.is(cause)) return cause;
  // Without a code it did not come from the wire: a body that failed while it was read, for one.
  if (code === undefined && cause instanceof Error) return cause;
  const subject = subjectOf(request);
  const timeoutMs = failure.config?.timeout ?? 0;
  if (code === 'ERR_CANCELED') return new ClosedError(`${subject}: cancelled by the axios client; the request`);
  if (timeoutMs > 0 && (code === 'ECONNABORTED' || code === 'ETIMEDOUT'))
    return new TimeoutError(subject, timeoutMs, { cause: withoutPayload(failure) });
  if (isTooLarge(failure)) return tooLarge(subject, request.maxResponseBytes ?? Number.POSITIVE_INFINITY);
  const origin = codeOf(cause) === undefined ? failure : cause;
  return wireFailure(origin, { subject, connectTimeoutMs: timeoutMs, idleTimeoutMs: timeoutMs });
}

function isTooLarge({ message }: AxiosFailure): boolean {
  return message.startsWith('maxContentLength');
}

function subjectOf({ method, url }: HTTPRequest): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}
