import { inspect } from 'node:util';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { APIIntegration, type APIIntegrationOptions } from '@safla/sdk/api';
import { SaflaError } from '@safla/sdk/core';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, rejection, serve, type TestServer } from './support/server.js';

/** Planted wherever a secret can be. None may be seen anywhere. */
const canary = 'cAnArY-7f3a';

let server: TestServer;

beforeAll(async () => {
  server = await serve((seen, response) => {
    const { pathname } = new URL(seen.url, 'http://x');
    if (pathname === '/hang') return undefined;
    if (pathname === '/drop') return response.destroy();
    if (pathname === '/broken')
      return response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a":"${canary}"`);
    if (pathname === '/gzip')
      return response
        .writeHead(200, { 'content-encoding': 'gzip' })
        .end(Buffer.from(`\x1f\x8b\x08${canary.repeat(9)}`, 'latin1'));
    if (pathname === '/large')
      return response.writeHead(200, { 'content-type': 'text/plain' }).end(canary.repeat(1_000));
    if (pathname === '/moved') return response.writeHead(302, { location: `/x?token=${canary}` }).end();
    const status = Number(pathname.slice(1)) || 200;
    return json(response, { echo: canary, body: seen.body.toString() }, { 'set-cookie': `sid=${canary}` }, status);
  });
});

afterAll(() => server[Symbol.asyncDispose]());

const everything = (value: unknown): string =>
  [
    inspect(value, { depth: Number.POSITIVE_INFINITY }),
    JSON.stringify(value),
    value instanceof Error ? `${value.message}${value.stack}` : '',
  ].join('\n');

async function failures(options: Partial<APIIntegrationOptions>, baseURL = server.origin): Promise<unknown[]> {
  await using api = new APIIntegration({
    baseURL,
    auth: canary,
    headers: { 'x-api-key': canary },
    maxResponseBytes: 2_000,
    policy: { retry: false, breaker: false },
    cache: { heuristicMs: 60_000 },
    ...options,
  });
  const query = { token: canary, q: canary };
  const body = { password: canary, note: canary };
  const send = (path: string, more: object = {}) => rejection(api.request(path, { query, ...more }));
  return [
    await send('/400'),
    await send('/500', { method: 'POST', body }),
    await send('/hang', { timeoutMs: 30 }),
    await send('/hang', { timeoutMs: 30, method: 'PUT', body }),
    await send('/drop'),
    await send('/drop', { method: 'POST', body }),
    await send('/broken'),
    await send('/gzip'),
    await send('/large'),
    await send('/moved', { method: 'POST' }),
    await send(`//${canary}.example/x`),
    await send(`https://user:${canary}@example.com/x`),
    await send(`/../../${canary}`),
    await send('/x', { headers: { 'x-a': `${canary}\n` } }),
    await send('/x', { method: 'POST', body: { canary, big: 1n } }),
    await send('/x', { idempotencyKey: `${canary}\n` }),
    await rejection(api.get('/x', { q: { canary } } as never)),
    await send('/x', {
      schema: { '~standard': { version: 1, vendor: 't', validate: () => ({ issues: [{ message: 'no' }] }) } },
    }),
    api,
    api.stats(),
    await api.health(),
  ];
}

describe('no secret is seen', () => {
  it('in errors: message, stack, inspect and JSON', async () => {
    const all = await failures({});
    expect(all.filter((value) => SaflaError.is(value))).toHaveLength(18);
    for (const value of all) expect(everything(value)).not.toContain(canary);
  });

  it('in errors of a ready axios instance with its own adapter', async () => {
    const client = axios.create({ headers: { 'X-Other-Key': canary }, timeout: 10_000 });
    const all = await failures({ client });
    expect(all.filter((value) => SaflaError.is(value))).toHaveLength(18);
    for (const value of all) expect(everything(value)).not.toContain(canary);
  });

  it('in errors of a server that is not there', async () => {
    for (const client of [undefined, axios.create()]) {
      const [first, second] = await failures(client ? { client } : {}, 'http://127.0.0.1:1');
      expect(first).toMatchObject({ code: 'CONNECTION', systemCode: 'ECONNREFUSED' });
      expect(everything(first) + everything(second)).not.toContain(canary);
    }
  });

  it('in logs and spans', async () => {
    const records: unknown[] = [];
    const log = (facts: object, message?: string) => records.push([facts, message]);
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const telemetry = {
      logger: { debug: log, info: log, warn: log, error: log },
      tracer: provider.getTracer('test'),
    };
    await failures({ telemetry });
    const spans = exporter
      .getFinishedSpans()
      .map(({ name, attributes, status, events }) => ({ name, attributes, status, events }));
    expect(records.length).toBeGreaterThan(8);
    expect(spans.length).toBeGreaterThan(8);
    expect(everything(records) + everything(spans)).not.toContain(canary);
    await provider.shutdown();
  });
});
