import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ConfigurationError, ProtocolError, withContext } from '@safla/sdk/core';
import {
  GraphQLIntegration,
  type GraphQLIntegrationOptions,
  type GraphQLMiddleware,
  gql,
  HTTPError,
} from '@safla/sdk/graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection, until } from './support/rejection.js';
import { json, serve } from './support/serve.js';
import { type Shop, startShop } from './support/shop.js';

let shop: Shop;

beforeAll(async () => {
  shop = await startShop();
});

afterAll(() => shop[Symbol.asyncDispose]());

describe('construction', () => {
  it.each<[string, unknown, string]>([
    ['no endpoint', undefined, 'GraphQLIntegration.endpoint'],
    ['an endpoint that is no URL', 'shop.example', 'GraphQLIntegration.endpoint'],
    ['another scheme', 'ftp://shop.example', 'GraphQLIntegration.endpoint'],
    ['credentials in the endpoint', 'https://u:p@shop.example', 'GraphQLIntegration.endpoint'],
    ['an unknown option', { endpoint: 'https://h', heders: {} }, "did you mean 'headers'?"],
    [
      'a header that breaks the line',
      { endpoint: 'https://h', headers: { a: 'b\r\nc: d' } },
      'GraphQLIntegration.headers',
    ],
    ['a header of the transport', { endpoint: 'https://h', headers: { host: 'evil' } }, 'GraphQLIntegration.headers'],
    ['a wrong error policy', { endpoint: 'https://h', errorPolicy: 'some' }, 'GraphQLIntegration.errorPolicy'],
    [
      'a wrong subscription URL',
      { endpoint: 'https://h', subscriptionUrl: 'https://h' },
      'GraphQLIntegration.subscriptionUrl',
    ],
    ['a layer that is no function', { endpoint: 'https://h', use: [1] }, 'GraphQLIntegration.use[0]'],
    [
      'a wrong reconnect',
      { endpoint: 'https://h', subscriptions: { reconnect: { maxAttempts: 0 } } },
      'subscriptions.reconnect.maxAttempts',
    ],
  ])('refuses %s', (_, options, message) => {
    expect(() => new GraphQLIntegration(options as GraphQLIntegrationOptions)).toThrow(ConfigurationError);
    expect(() => new GraphQLIntegration(options as GraphQLIntegrationOptions)).toThrow(message);
  });
});

describe('headers by a function', () => {
  it('are refreshed once for all callers after a 401, and every request is repeated once', async () => {
    await using guarded = await startShop({ admits: (authorization) => authorization === 'token-2' });
    const asked: boolean[] = [];
    let token = 1;
    await using graphql = new GraphQLIntegration({
      endpoint: guarded.url,
      dedupe: false,
      headers: async ({ refresh }) => {
        asked.push(refresh);
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (refresh) token += 1;
        return { authorization: `token-${token}` };
      },
    });
    const calls = Array.from({ length: 10 }, (_, id) =>
      graphql.query('query ($id: ID!) { user(id: $id) { id } }', { id: String(id) }),
    );
    await Promise.all(calls);
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect(guarded.seen).toHaveLength(20);
    expect(graphql.stats().headerRefreshes).toBe(1);
    await expect(graphql.mutation('mutation { count }')).resolves.toEqual({ count: 1 });
    expect(guarded.seen).toHaveLength(21);
  });

  it('reject when the new ones are refused too', async () => {
    await using server = await serve((_, response) => response.writeHead(401).end('no'));
    await using graphql = new GraphQLIntegration({ endpoint: server.url, headers: () => ({ authorization: 'x' }) });
    expect(await rejection(graphql.query('{ me }'))).toBeInstanceOf(HTTPError);
    expect(server.seen).toHaveLength(2);
  });

  it('are asked for every request, so that another user is another user', async () => {
    let user = 'ada';
    await using graphql = new GraphQLIntegration({ endpoint: shop.url, headers: () => ({ authorization: user }) });
    await expect(graphql.query('{ whoAmI }')).resolves.toEqual({ whoAmI: 'ada' });
    user = 'bob';
    await expect(graphql.query('{ whoAmI }')).resolves.toEqual({ whoAmI: 'bob' });
  });

  it('of a call go over those of the integration; undefined leaves one out', async () => {
    await using graphql = new GraphQLIntegration(shop.url, { authorization: 'a' });
    await expect(graphql.query('{ whoAmI }', {}, { headers: { Authorization: 'b' } })).resolves.toEqual({
      whoAmI: 'b',
    });
    await expect(graphql.query('{ whoAmI }', {}, { headers: { Authorization: undefined } })).resolves.toEqual({
      whoAmI: null,
    });
  });

  it('that are none are refused', async () => {
    await using graphql = new GraphQLIntegration({ endpoint: shop.url, headers: (() => 'x') as never });
    expect(await rejection(graphql.query('{ whoAmI }'))).toBeInstanceOf(ConfigurationError);
  });
});

describe('queries at the same time', () => {
  const slow = 'query Slow($ms: Int!) { slow(ms: $ms) users { id } }';

  it('share one request, and each gets a result of its own', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const before = shop.seen.length;
    const results = await Promise.all(
      Array.from({ length: 5 }, () => graphql.query<{ users: { id: string }[] }>(slow, { ms: 30 })),
    );
    expect(shop.seen.length - before).toBe(1);
    expect(graphql.stats().shared).toBe(4);
    results[0]?.users.push({ id: 'mine' });
    expect(results[1]?.users).toEqual([{ id: '1' }]);
  });

  it('do not when variables, headers or the wish differ, and mutations never do', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const before = shop.seen.length;
    await Promise.all([
      graphql.query(slow, { ms: 30 }),
      graphql.query(slow, { ms: 31 }),
      graphql.query(slow, { ms: 30 }, { headers: { authorization: 'b' } }),
      graphql.query(slow, { ms: 30 }, { dedupe: false }),
      graphql.mutation('mutation { count }'),
      graphql.mutation('mutation { count }'),
    ]);
    expect(shop.seen.length - before).toBe(6);
  });

  it('go on when the first caller leaves', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const controller = new AbortController();
    const first = rejection(graphql.query(slow, { ms: 60 }, { signal: controller.signal }));
    const others = [graphql.query(slow, { ms: 60 }), graphql.query(slow, { ms: 60 })];
    await new Promise((resolve) => setTimeout(resolve, 10));
    controller.abort(new Error('left'));
    expect((await first).message).toBe('left');
    for (const result of await Promise.all(others)) expect(result).toMatchObject({ slow: 'done' });
  });

  it('keep their own time', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const patient = graphql.query(slow, { ms: 100 });
    expect(await rejection(graphql.query(slow, { ms: 100 }, { timeoutMs: 20 }))).toMatchObject({ code: 'TIMEOUT' });
    await expect(patient).resolves.toMatchObject({ slow: 'done' });
  });
});

describe('persisted queries', () => {
  const document = 'query Me { me }';

  it('send the hash, the text once when it is not known, and never a text that is', async () => {
    const known = new Set<string>();
    await using server = await serve(({ body }, response) => {
      const { sha256Hash } = (body.extensions as { persistedQuery: { sha256Hash: string } }).persistedQuery;
      if (body.query) known.add(sha256Hash);
      if (!known.has(sha256Hash)) return json(response, { errors: [{ message: 'PersistedQueryNotFound' }] });
      return json(response, { data: { me: 'Ada' } });
    });
    await using graphql = new GraphQLIntegration({ endpoint: server.url, persistedQueries: true });
    await graphql.query(document);
    await graphql.query(document);
    expect(server.seen.map(({ body }) => body.query)).toEqual([undefined, document, undefined]);
    expect(server.seen[0]?.body).toEqual({
      operationName: 'Me',
      extensions: { persistedQuery: { version: 1, sha256Hash: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
  });

  it('are given up for a server that has none', async () => {
    await using server = await serve(({ body }, response) =>
      body.extensions
        ? json(response, { errors: [{ message: 'no', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }] }, 400)
        : json(response, { data: { me: 'Ada' } }),
    );
    await using graphql = new GraphQLIntegration({ endpoint: server.url, persistedQueries: true });
    for (let i = 0; i < 2; i++) await expect(graphql.query(document)).resolves.toEqual({ me: 'Ada' });
    expect(server.seen.map(({ body }) => body.query)).toEqual([undefined, document, document]);
  });
});

describe('paginate', () => {
  interface Posts {
    readonly posts: {
      readonly edges: { readonly node: { id: string } }[];
      readonly pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  }
  const forward = gql<Posts, { first: number }>`query ($first: Int, $after: String) {
    posts(first: $first, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } }
  }`;
  const backward = gql<Posts, { last: number }>`query ($last: Int, $before: String) {
    posts(last: $last, before: $before) { edges { node { id } } pageInfo { hasPreviousPage startCursor } }
  }`;
  const ids = async (nodes: AsyncIterable<{ id: string }>): Promise<string[]> => {
    const got: string[] = [];
    for await (const { id } of nodes) got.push(id);
    return got;
  };
  const connection = ({ posts }: Posts): Posts['posts'] => posts;

  it('gives every node once, forward and backward', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const all = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'];
    await expect(ids(graphql.paginate(forward, { first: 3 }, { connection }))).resolves.toEqual(all);
    await expect(ids(graphql.paginate(backward, { last: 3 }, { connection, direction: 'backward' }))).resolves.toEqual(
      all.toReversed(),
    );
  });

  it('asks for the next page when the last was read, and for no more than are wanted', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const before = shop.seen.length;
    for await (const { id } of graphql.paginate(forward, { first: 2 }, { connection })) if (id === 'p2') break;
    expect(shop.seen.length - before).toBe(1);
    await expect(ids(graphql.paginate(forward, { first: 2 }, { connection, maxPages: 2 }))).resolves.toHaveLength(4);
  });

  it('stops at a cursor that comes again, before its nodes come again', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const stuck = gql<Posts>`query ($after: String) { posts: stuck(after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }`;
    const got: string[] = [];
    const error = await rejection(
      (async () => {
        for await (const { id } of graphql.paginate(stuck, {}, { connection })) got.push(id);
      })(),
    );
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error.message).toContain('does the document pass $after to the connection?');
    expect(got).toEqual(['p1', 'p2']);
  });

  it('ends where there is no connection, and refuses wrong options at once', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    await expect(ids(graphql.paginate(forward, { first: 3 }, { connection: () => null }))).resolves.toEqual([]);
    expect(() => graphql.paginate(forward, { first: 3 }, {} as never)).toThrow(ConfigurationError);
  });
});

describe('around a call', () => {
  it('middleware sees operations and results, and can change both', async () => {
    const seen: unknown[] = [];
    const layer: GraphQLMiddleware = async (call, next) => {
      seen.push(call.operations[0]?.kind);
      const answer = await next({ ...call, headers: { ...call.headers, authorization: 'layer' } });
      return { ...answer, results: answer.results.map((result) => ({ ...result, data: { wrapped: result.data } })) };
    };
    await using graphql = new GraphQLIntegration({ endpoint: shop.url, use: [layer] });
    await expect(graphql.query('{ whoAmI }')).resolves.toEqual({ wrapped: { whoAmI: 'layer' } });
    expect(seen).toEqual(['query']);
  });

  it('sends the correlation id', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    await withContext({ correlationId: 'corr-1' }, () => graphql.query('{ users { id } }'));
    expect(shop.seen.at(-1)?.headers['x-correlation-id']).toBe('corr-1');
    await graphql.query('{ users { id } }');
    expect(shop.seen.at(-1)?.headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('makes client spans by the conventions, without document and variables', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const lines: unknown[] = [];
    const log = (...line: unknown[]): number => lines.push(line);
    const logger = { debug: log, info: log, warn: log, error: log };
    const telemetry = { tracer: provider.getTracer('test'), logger };
    await using graphql = new GraphQLIntegration({
      endpoint: shop.url,
      headers: { authorization: 'canary' },
      telemetry,
    });
    await graphql.query('query Who($id: ID!) { user(id: $id) { id } }', { id: 'canary' });
    await rejection(graphql.query('{ broken }'));
    const [first, second] = exporter.getFinishedSpans();
    expect(first).toMatchObject({
      name: 'query',
      kind: 2,
      attributes: {
        'graphql.operation.type': 'query',
        'graphql.operation.name': 'Who',
        'http.response.status_code': 200,
        'server.address': '127.0.0.1',
      },
    });
    expect(second).toMatchObject({ attributes: { 'error.type': 'GRAPHQL_REQUEST' }, status: { code: 2 } });
    expect(lines).toHaveLength(2);
    expect(
      JSON.stringify([exporter.getFinishedSpans().map(({ attributes, events }) => [attributes, events]), lines]),
    ).not.toContain('canary');
  });

  it('health tells of the past, or asks', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    await expect(graphql.health()).resolves.toMatchObject({ status: 'pass' });
    await using asking = new GraphQLIntegration({ endpoint: shop.url, healthQuery: '{ __typename }' });
    const before = shop.seen.length;
    await expect(asking.health()).resolves.toMatchObject({ status: 'pass', latencyMs: expect.any(Number) });
    expect(shop.seen.length - before).toBe(1);
    await using wrong = new GraphQLIntegration({ endpoint: shop.url, healthQuery: '{ broken }' });
    await expect(wrong.health()).resolves.toMatchObject({ status: 'fail' });
    await asking.close();
    await expect(asking.health()).resolves.toEqual({ status: 'fail', output: 'closed' });
  });

  it('close lets running calls finish', async () => {
    const graphql = new GraphQLIntegration(shop.url);
    const before = shop.seen.length;
    const running = graphql.query('{ slow(ms: 50) }');
    await until(() => shop.seen.length > before);
    await Promise.all([graphql.close(), graphql.close()]);
    await expect(running).resolves.toEqual({ slow: 'done' });
  });

  it('the client below is graphql-request', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    const client = await graphql.client;
    await expect(client.request('{ sum(a: 1, b: 1) }')).resolves.toEqual({ sum: 2 });
    await expect(client.request('{ broken }')).rejects.toThrow('no such thing');
  });

  it('options of a call are checked', async () => {
    await using graphql = new GraphQLIntegration(shop.url);
    expect(await rejection(graphql.query('{ users { id } }', {}, { timeout: 1 } as never))).toBeInstanceOf(
      ConfigurationError,
    );
    expect(await rejection(graphql.raw('{ users { id } }', {}, { schema: 1 } as never))).toBeInstanceOf(
      ConfigurationError,
    );
  });
});
