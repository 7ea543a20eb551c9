import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A series as the backend serves it. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly date: string; readonly value: number }[];
}

/** A running backend. */
export interface Backend extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
  /** How many requests reached it. */
  requests(): number;
}

/** A small REST backend on loopback: `GET /v1/series/current`, for callers who hold the key. */
export async function startBackend(series: Series): Promise<Backend> {
  const key = `demo-${process.pid}`;
  let requests = 0;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    requests += 1;
    const known = request.headers.authorization === `Bearer ${key}`;
    const found = request.method === 'GET' && request.url === '/v1/series/current';
    const status = known ? (found ? 200 : 404) : 401;
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'max-age=60' });
    response.end(JSON.stringify(status === 200 ? series : { error: status === 401 ? 'key required' : 'not found' }));
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    key,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
