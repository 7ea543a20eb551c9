import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigurationError, ConnectionError, detach, type HealthReport } from '../../core/index.js';
import { checkOptions, is, lazy, type OptionCheck } from '../../core/internal.js';
import { loadNodeSDK } from '../sdk/server-sdk.js';
import type { Lane } from './stdio-lane.js';

/** Where `MCPServer.listen` listens. */
export interface ListenOptions {
  /** 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Anything but a loopback address needs `allowedHosts` on the server. @default '127.0.0.1' */
  readonly host?: string;
  /** @default '/mcp' */
  readonly path?: string;
  /**
   * Where `health()` is shown to probes, without names or reasons: 200 when it passes, 503 when not.
   * `false` shows it nowhere.
   *
   * @default '/health'
   */
  readonly healthPath?: string | false;
}

/** A Streamable HTTP endpoint that is open. */
export interface Listening {
  /** The whole address for clients: `http://127.0.0.1:41234/mcp`. */
  readonly url: string;
  readonly port: number;
}

export interface HTTPLane extends Lane, Listening {
  /** Takes no new connections, and resolves when running answers were written, or after the time. */
  drain(withinMs: number): Promise<void>;
}

/** What the lane needs of its server. */
export interface HTTPLaneOptions extends ListenOptions {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly health: () => Promise<HealthReport>;
  readonly maxRequestBytes: number;
  readonly allowsForeignHosts: boolean;
  readonly onerror: (error: Error) => void;
}

const loadHTTP = lazy(() => import('node:http'));

const port: OptionCheck = (value, field) => {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > 65_535)
    throw new ConfigurationError(`${field} must be a whole number from 0 to 65535`, { field });
};

const path: OptionCheck = (value, field) => {
  if (typeof value !== 'string' || !/^\/[^\s?#]*$/.test(value))
    throw new ConfigurationError(`${field} must begin with '/' and have no '?', '#' or space`, { field });
};

/** @throws ConfigurationError */
export function checkListenOptions(options: ListenOptions): void {
  checkOptions<ListenOptions>('MCPServer.listen', options, {
    port,
    host: is.text,
    path,
    healthPath: (value, field) => value === false || path(value, field),
  });
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * @throws ConfigurationError for an address beyond this machine without allowed hosts
 * @throws ConnectionError when the port is taken
 */
export async function openHTTPLane(options: HTTPLaneOptions): Promise<HTTPLane> {
  const { host = '127.0.0.1', port = 0, path = '/mcp', healthPath = '/health' } = options;
  const { fetch, health, onerror, maxRequestBytes } = options;
  if (!loopback.has(host) && !options.allowsForeignHosts) {
    throw new ConfigurationError(
      `listen on '${host}' is open to other machines: name the hosts that clients use in allowedHosts, or listen on 127.0.0.1`,
      { field: 'allowedHosts' },
    );
  }
  const [{ toNodeHandler }, { createServer }] = await Promise.all([loadNodeSDK(), loadHTTP()]);
  const handle = toNodeHandler({ fetch }, { onerror, maxRequestBodySize: maxRequestBytes });
  const answers = new OpenAnswers();
  const server = detach(() =>
    createServer((request, response) => {
      const asked = request.url?.split('?', 1)[0];
      if (asked === healthPath && healthPath !== path) return showHealth(health, request, response);
      if (asked !== path) return void response.writeHead(404).end();
      answers.watch(request, response);
      handle(request, response).catch(onerror);
    }),
  );
  const address = await listening(server, port, host);
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${shown}:${address.port}${path}`,
    port: address.port,
    drain: (withinMs) => {
      server.close();
      server.closeIdleConnections();
      return answers.written(withinMs);
    },
    close: () => closed(server),
  };
}

/** The answers that are being written. Streams of changes, which end only with the server, do not count. */
class OpenAnswers {
  readonly #open: Set<ServerResponse> = new Set();
  #written: (() => void) | undefined;

  watch(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'GET' || request.headers['mcp-method'] === 'subscriptions/listen') return;
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#written?.();
    });
  }

  async written(withinMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#written = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** In the shape of `application/health+json`. What stands behind the server is nobody's business here. */
async function showHealth(
  health: () => Promise<HealthReport>,
  { method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status } = await health();
  response
    .writeHead(status === 'fail' ? 503 : 200, {
      'content-type': 'application/health+json',
      'cache-control': 'no-store',
    })
    .end(method === 'HEAD' ? undefined : JSON.stringify({ status }));
}

function listening(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ConnectionError(`Cannot listen on ${host}:${port}`, { systemCode: error.code, cause: error }));
    });
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Calls back also when the server stopped listening before.
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
