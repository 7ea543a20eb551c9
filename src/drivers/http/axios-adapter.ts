import { Readable } from 'node:stream';
import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { CallScope } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import { codeOf } from '../without-payload.js';
import { readBody } from './response-body.js';
import type { HTTPBody, HTTPRequest, HTTPResponse, HTTPTransport } from './transport.js';

const loadAxios = lazy(() => import('axios'));

/** Where requests and redirects may go. */
export type RequestBounds = Partial<Pick<HTTPRequest, 'mayFollow' | 'guardFor'>>;

/**
 * Puts a transport below axios: interceptors, defaults and `validateStatus` work as ever, the wire is
 * the transport's. It understands `url baseURL params method headers data signal timeout
 * maxContentLength responseType validateStatus`; proxies, redirects and TLS are the transport's matter.
 * Failures are `AxiosError`s, as interceptors expect, with the typed error as `cause`.
 *
 * @example const client = axios.create({ baseURL, adapter: axiosAdapter(undiciTransport()) });
 */
export function axiosAdapter(transport: HTTPTransport, bounds: RequestBounds = {}): AxiosAdapter {
  return async (config) => {
    const axios = await loadAxios();
    const method = (config.method ?? 'get').toUpperCase();
    using scope = scopeOf(config, method);
    try {
      const response = await scope.run(async () => {
        const answer = await transport.send({
          method,
          url: config.params || config.baseURL ? axios.default.getUri(config) : (config.url ?? ''),
          headers: headersOf(config),
          body: (config.data ?? undefined) as HTTPBody | undefined,
          // A stream is read after this call, so it follows the caller's own signal.
          cancellation: config.responseType === 'stream' ? undefined : scope,
          get signal() {
            return config.responseType === 'stream' ? (config.signal as AbortSignal | undefined) : scope.signal;
          },
          ...bounds,
          maxResponseBytes: limitOf(config.maxContentLength),
        });
        return toAxiosResponse(answer, config);
      });
      if (isAccepted(response.status, config)) return response;
      const code = response.status < 500 ? axios.AxiosError.ERR_BAD_REQUEST : axios.AxiosError.ERR_BAD_RESPONSE;
      throw new axios.AxiosError(
        `Request failed with status code ${response.status}`,
        code,
        config,
        undefined,
        response,
      );
    } catch (error) {
      if (config.signal?.aborted) throw new axios.CanceledError(undefined, config);
      throw axios.isAxiosError(error) ? error : axios.AxiosError.from(error, codeOf(error), config);
    }
  };
}

/** The life of one request: the caller's signal and axios' `timeout`, where 0 means none. */
function scopeOf(config: InternalAxiosRequestConfig, method: string): CallScope {
  const { signal, timeout } = config;
  return new CallScope(`${method} by axios`, {
    ...(signal ? { signal: signal as AbortSignal } : {}),
    ...(timeout ? { timeoutMs: timeout } : {}),
  });
}

/** Without the type of a form: its boundary is chosen where it is encoded. */
function headersOf(config: InternalAxiosRequestConfig): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(config.headers.toJSON())) headers[name.toLowerCase()] = String(value);
  if (config.data instanceof FormData) delete headers['content-type'];
  return headers;
}

function limitOf(maxContentLength: number | undefined): number | undefined {
  return maxContentLength !== undefined && maxContentLength >= 0 ? maxContentLength : undefined;
}

function isAccepted(status: number, { validateStatus }: InternalAxiosRequestConfig): boolean {
  return !validateStatus || validateStatus(status);
}

async function toAxiosResponse(answer: HTTPResponse, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const headers = answer.headers as AxiosResponse['headers'];
  const { status, redirected = false } = answer;
  return { data: await contentOf(answer, config), status, statusText: '', headers, config, request: { redirected } };
}

async function contentOf({ body }: HTTPResponse, { responseType }: InternalAxiosRequestConfig): Promise<unknown> {
  if (responseType === 'stream') return Readable.from(body, { objectMode: false });
  const bytes = await readBody(body);
  if (responseType === 'arraybuffer') return bytes;
  return responseType === 'blob' ? new Blob([new Uint8Array(bytes)]) : bytes.toString('utf8');
}
