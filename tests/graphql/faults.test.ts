import { inspect } from 'node:util';
import {
  CircuitOpenError,
  ClosedError,
  ConnectionError,
  ProtocolError,
  SaflaError,
  TimeoutError,
  withContext,
} from '@safla/sdk/core';
import { GraphQLIntegration, type GraphQLIntegrationOptions, GraphQLRequestError, HTTPError } from '@safla/sdk/graphql';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejection, until } from './support/rejection.js';
import { json, serve } from './support/serve.js';
import { startShop } from './support/shop.js';

const query = 'query Me { me }';
const data = { me: 'Ada' };
const quick: GraphQLIntegrationOptions['policy'] = { retry: { baseDelayMs: 1 } };

describe('an answer that cannot be used', () => {
  it('a page with status 500 is an HTTPError, after retries', async () => {
    await using server = await serve((_, response) =>
      response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>oops</h1>'),
    );
    await using graphql = new GraphQLIntegration({ endpoint: server.url, policy: quick });
    const error = await rejection(graphql.query(query));
    expect(error).toBeInstanceOf(HTTPError);
    expect(error).toMatchObject({ status: 500, retryable: true, data: '<h1>oops</h1>' });
    expect(server.seen).toHaveLength(3);
  });

  it('a long page is not kept with its HTTPError', async () => {
    let page = 'x'.repeat(65_536);
    await using server = await serve((_, response) => response.writeHead(400).end(page));
    await using graphql = new GraphQLIntegration({ endpoint: server.url, policy: quick });
    expect(await rejection(graphql.query(query))).toMatchObject({ status: 400, data: page });
    page += 'x';
    expect(await rejection(graphql.query(query))).toMatchObject({ status: 400, data: undefined });
  });

  it.each([
    ['text/html', '<p>canary</p>', 'the answer is text/html, not a GraphQL result'],
    ['application/json', '{"data": canary', 'the answer is not a GraphQL result'],
    ['application/json', '"canary"', 'the answer is not a GraphQL result'],
    ['application/json', '{"data":"canary"}', 'the answer is not a GraphQL result'],
    ['application/json', '{"errors":"canary"}', 'the answer is not a GraphQL result'],
    ['application/json', '{"canary":1}', 'the answer has neither data nor errors'],
    ['application/json', '{"data":null}', 'the answer has neither data nor errors'],
    ['application/json', '[{"data":{}},{"data":{}}]', 'the answer has 2 results instead of 1'],
    ['application/json', '', 'the answer is not a GraphQL result'],
  ])('status 200 with %s: %s', async (type, body, message) => {
    await using server = await serve((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
    await using graphql = new GraphQLIntegration(server.url);
    const error = await rejection(graphql.query(query));
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error.message).toContain(message);
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
    expect(server.seen).toHaveLength(1);
  });

  it('errors of GraphQL with a status above 399 keep both', async () => {
    await using server = await serve((_, response) =>
      json(response, { errors: [{ message: 'slow down', extensions: { code: 'BUSY' } }] }, 429, {
        'retry-after': '120',
      }),
    );
    await using graphql = new GraphQLIntegration(server.url);
    const error = await rejection(graphql.query(query));
    expect(error).toBeInstanceOf(GraphQLRequestError);
    expect(error).toMatchObject({ status: 429, serverCode: 'BUSY', retryable: true, retryAfterMs: 120_000 });
    expect(error.message).toContain('answered 429: slow down [BUSY]');
  });

  it('is read without a content type, and with a byte order mark', async () => {
    await using server = await serve((_, response) => response.writeHead(200).end(`\uFEFF${JSON.stringify({ data })}`));
    await using graphql = new GraphQLIntegration(server.url);
    await expect(graphql.query(query)).resolves.toEqual(data);
  });

  it('is read when it says null for what is not there, alone or in an array', async () => {
    const result = { data, errors: null, extensions: null };
    await using server = await serve((_, response, count) => json(response, count === 1 ? result : [result]));
    await using graphql = new GraphQLIntegration(server.url);
    await expect(graphql.query(query)).resolves.toEqual(data);
    await expect(graphql.query(query)).resolves.toEqual(data);
  });

  it('is refused when its errors are no list: they would be overlooked', async () => {
    await using server = await serve((_, response) => json(response, { data, errors: { message: 'broken' } }));
    await using graphql = new GraphQLIntegration(server.url);
    expect(await rejection(graphql.query(query))).toMatchObject({ code: 'PROTOCOL' });
  });

  it('is not read past the limit', async () => {
    await using server = await serve((_, response) => json(response, { data: { me: 'x'.repeat(5_000) } }));
    await using graphql = new GraphQLIntegration({ endpoint: server.url, maxResponseBytes: 1_000 });
    expect(await rejection(graphql.query(query))).toMatchObject({ code: 'PROTOCOL' });
  });

  it('never makes anything but a typed error, whatever comes', async () => {
    let body = '';
    await using server = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    await using graphql = new GraphQLIntegration(server.url);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string(), resultLike()), async (text) => {
        body = text;
        const outcome = await graphql.query(query, {}, { errorPolicy: 'ignore' }).then(
          (value) => typeof value === 'object' && value !== null,
          (error: unknown) => error instanceof GraphQLRequestError || error instanceof ProtocolError,
        );
        expect(outcome).toBe(true);
      }),
    );
  });
});

/** Almost the shape of a result, as servers with a defect send it. */
function resultLike(): fc.Arbitrary<string> {
  const error = fc.record(
    { message: fc.jsonValue(), path: fc.jsonValue(), locations: fc.jsonValue(), extensions: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const errors = fc.oneof(fc.array(fc.oneof(error, fc.jsonValue())), fc.jsonValue());
  return fc
    .record({ data: fc.jsonValue(), errors, extensions: fc.jsonValue() }, { requiredKeys: [] })
    .map((value) => JSON.stringify(value));
}

describe('a server that is not there', () => {
  it('rejects with ConnectionError, then refuses by the circuit', async () => {
    const policy = { retry: false, breaker: { minimumCalls: 3 } } as const;
    await using graphql = new GraphQLIntegration({ endpoint: 'http://127.0.0.1:1/graphql', policy });
    for (let i = 0; i < 3; i++) expect(await rejection(graphql.query(query))).toBeInstanceOf(ConnectionError);
    expect(await rejection(graphql.query(query))).toBeInstanceOf(CircuitOpenError);
    await expect(graphql.health()).resolves.toMatchObject({ status: 'fail' });
  });

  it('never answers: time, signal, context and close end the call', async () => {
    await using server = await serve(() => undefined);
    const graphql = new GraphQLIntegration(server.url);
    expect(await rejection(graphql.query(query, {}, { timeoutMs: 50 }))).toBeInstanceOf(TimeoutError);
    const reason = new Error('enough');
    const controller = new AbortController();
    const aborted = rejection(graphql.mutation('mutation { count }', {}, { signal: controller.signal }));
    await until(() => server.seen.length === 2);
    controller.abort(reason);
    expect(await aborted).toBe(reason);
    expect(await rejection(withContext({ timeoutMs: 50 }, () => graphql.query(query)))).toBeInstanceOf(TimeoutError);
    const closing = rejection(graphql.query(query));
    await graphql.close({ timeoutMs: 0 });
    expect(await closing).toBeInstanceOf(ClosedError);
    expect(await rejection(graphql.query(query))).toBeInstanceOf(ClosedError);
  });
});

describe('repeating', () => {
  const flaky = () =>
    serve((_, response, count) => (count < 3 ? response.destroy() : json(response, { data: { me: 'Ada', count: 1 } })));

  it('happens to queries', async () => {
    await using server = await flaky();
    await using graphql = new GraphQLIntegration({ endpoint: server.url, policy: quick });
    await expect(graphql.raw(query)).resolves.toMatchObject({ attempts: 3 });
  });

  it('happens to mutations with an idempotency key only', async () => {
    await using server = await flaky();
    await using graphql = new GraphQLIntegration({ endpoint: server.url, policy: quick });
    expect(await rejection(graphql.mutation('mutation { count }'))).toBeInstanceOf(ConnectionError);
    expect(server.seen).toHaveLength(1);
    await graphql.mutation('mutation { count }', {}, { idempotencyKey: 'k1' });
    expect(server.seen.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, 'k1', 'k1']);
  });

  it('does not happen to a batch with a mutation in it', async () => {
    await using server = await serve((_, response) => response.destroy());
    await using graphql = new GraphQLIntegration({ endpoint: server.url, policy: quick });
    await rejection(graphql.batch([{ document: query }, { document: 'mutation { count }' }]));
    expect(server.seen).toHaveLength(1);
    await rejection(graphql.batch([{ document: query }]));
    expect(server.seen.length).toBeGreaterThan(2);
  });
});

describe('what was sent', () => {
  const canary = 'cAnArY-7f3a';
  const everything = (error: unknown): string =>
    [
      inspect(error, { depth: Number.POSITIVE_INFINITY }),
      JSON.stringify(error),
      (error as Error).message,
      (error as Error).stack,
    ].join('\n');

  it('is in no error, although the server repeats it', async () => {
    await using shop = await startShop();
    await using graphql = new GraphQLIntegration({
      endpoint: shop.url,
      headers: { authorization: `Bearer ${canary}` },
    });
    const create = 'mutation C($input: UserInput!) { createUser(input: $input) { id } }';
    const failures = [
      () => graphql.mutation(create, { input: { name: `taken ${canary}` } }),
      () => graphql.mutation(create, { input: { name: 'Ada', age: canary } }),
      () => graphql.mutation(create, { input: canary }),
      () => graphql.mutation(create, { input: { name: { deep: [`${canary} "quoted"`] } } }),
      () => graphql.query(`{ sum(a: "${canary}", b: 1) }`),
      () => graphql.query(`{ user(id: "${canary}"`),
      () => graphql.query(`{ a("${canary}") }`),
      () => graphql.query('{ sum(a: 48151623, b: 1.5) }'),
      () => graphql.batch([{ document: create, variables: { input: { name: `taken ${canary}` } } }]),
    ];
    for (const failure of failures) {
      const error = await rejection(failure());
      expect(SaflaError.is(error)).toBe(true);
      expect(everything(error)).not.toContain(canary);
      expect(everything(error)).not.toContain('48151623');
      expect(everything(error)).not.toContain('createUser(input');
    }
  });

  it('stays readable around what is masked, and whole in the response', async () => {
    await using shop = await startShop();
    await using graphql = new GraphQLIntegration(shop.url);
    const create = 'mutation C($input: UserInput!) { createUser(input: $input) { id } }';
    const error = (await rejection(graphql.mutation(create, { input: { name: 'taken-one' } }))) as GraphQLRequestError;
    expect(error.message).toContain('mutation C at http://127.0.0.1');
    expect(error.message).toContain('The name "[value]" is taken (at createUser) [CONFLICT]');
    expect(JSON.stringify(error.response)).toContain('taken-one');
  });
});
