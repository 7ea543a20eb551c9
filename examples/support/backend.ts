import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema, graphql } from 'graphql';
import { WebSocketServer } from 'ws';

/** A series as the backend serves it. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly date: string; readonly value: number }[];
}

/** A running backend. */
export interface Backend extends AsyncDisposable {
  /** Of the REST API. */
  readonly url: string;
  readonly graphqlURL: string;
  readonly liveURL: string;
  readonly key: string;
  /** How many requests reached its REST API. */
  requests(): number;
}

const schema = buildSchema(
  'type Query { series: Series! } type Series { name: String! count: Int! from: String! to: String! }',
);

/**
 * A small backend on loopback for callers who hold the key: `GET /v1/series/current` for all of the
 * series, GraphQL at `/graphql` for facts about it, and `/live` for its points over WebSocket.
 */
export async function startBackend(series: Series): Promise<Backend> {
  const key = `demo-${process.pid}`;
  let requests = 0;
  const isKnown = (request: IncomingMessage): boolean => request.headers.authorization === `Bearer ${key}`;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isKnown(request)) return send(response, 401, { error: 'key required' });
    if (request.url === '/graphql') return send(response, 200, await execute(series, await textOf(request)));
    requests += 1;
    const found = request.method === 'GET' && request.url === '/v1/series/current';
    return send(response, found ? 200 : 404, found ? series : { error: 'not found' });
  };
  const server = createServer((request, response) => void answer(request, response));
  const live = new WebSocketServer({
    server,
    path: '/live',
    verifyClient: ({ req }: { req: IncomingMessage }) => isKnown(req),
  });
  live.on('connection', (socket) => {
    for (const point of series.points) socket.send(JSON.stringify(point));
    socket.close(1000);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `//127.0.0.1:${port}`;
  return {
    url: `http:${origin}/v1`,
    graphqlURL: `http:${origin}/graphql`,
    liveURL: `ws:${origin}/live`,
    key,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      live.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'max-age=60' });
  response.end(JSON.stringify(body));
}

function execute({ name, points }: Series, text: string): Promise<unknown> {
  const { query } = JSON.parse(text) as { query: string };
  const facts = { name, count: points.length, from: points[0]?.date ?? '', to: points.at(-1)?.date ?? '' };
  return graphql({ schema, source: query, rootValue: { series: facts } });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
