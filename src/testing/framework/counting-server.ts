import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Closeable } from '../../core/index.js';

/** One request as it arrived. */
export interface CountedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
  /** `performance.now()` on arrival. */
  readonly at: number;
  /** Of the answer; 0 until it is known. */
  status: number;
}

/** What answers: a server elsewhere that requests are passed on to, or this one by itself. */
export interface CountingServerOptions {
  /** Without it the server answers by itself. */
  readonly upstream?: URL | undefined;
  /** The bearer key that requests need when the server answers by itself; any other is answered 401. */
  readonly apiKey: string;
}

/** Belong to one connection, not to the message (RFC 9110, section 7.6.1); the body arrives decoded. */
const hopHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

/**
 * An HTTP server on 127.0.0.1 that keeps what arrived and when. By itself it answers every path with the
 * method and body it was sent, as JSON.
 */
export class CountingServer implements Closeable {
  readonly requests: CountedRequest[] = [];
  readonly #server: Server;
  readonly #options: CountingServerOptions;

  private constructor(options: CountingServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(options: CountingServerOptions): Promise<CountingServer> {
    const counting = new CountingServer(options);
    await new Promise<void>((resolve, reject) => {
      counting.#server.once('error', reject);
      counting.#server.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    return counting;
  }

  /** The base URL to give to an integration: the path is that of `upstream`. */
  get baseURL(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    return `http://127.0.0.1:${port}${this.#options.upstream?.pathname.replace(/\/$/, '') ?? ''}`;
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = url.split('?', 1)[0] ?? '/';
    const counted: CountedRequest = {
      method,
      path,
      authorization: headers.authorization,
      body: body.toString('utf8'),
      at,
      status: 0,
    };
    this.requests.push(counted);
    const { upstream, apiKey } = this.#options;
    if (upstream) counted.status = await passOn(new URL(url, upstream.origin), request, body, response);
    else counted.status = answer(counted, apiKey, response);
  }
}

function answer({ method, body, authorization }: CountedRequest, apiKey: string, response: ServerResponse): number {
  const status = authorization === `Bearer ${apiKey}` ? 200 : 401;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(status === 200 ? { method, body } : { error: 'unauthorized' }));
  return status;
}

async function passOn(url: URL, request: IncomingMessage, body: Buffer, response: ServerResponse): Promise<number> {
  const { method = 'GET', headers } = request;
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers))
    if (typeof value === 'string' && !hopHeaders.has(name)) sent.set(name, value);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  try {
    const got = await fetch(url, {
      method,
      headers: sent,
      redirect: 'manual',
      ...(hasBody ? { body: new Uint8Array(body) } : {}),
    });
    const kept = [...got.headers].filter(([name]) => !hopHeaders.has(name));
    const content = Buffer.from(await got.arrayBuffer());
    response.writeHead(got.status, Object.fromEntries(kept));
    response.end(content);
    return got.status;
  } catch {
    // What it is like for a caller when nobody answers.
    response.destroy();
    return 0;
  }
}
