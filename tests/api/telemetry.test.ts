import { type Attributes, context, type Meter, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { APIIntegration } from '@safla/sdk/api';
import { withContext } from '@safla/sdk/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { json, rejection, serve, type TestServer } from './support/server.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
let server: TestServer;

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator({
    inject(active, carrier, setter) {
      const span = trace.getSpanContext(active);
      if (span) setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-01`);
    },
    extract: (active) => active,
    fields: () => ['traceparent'],
  });
  let flaky = 0;
  server = await serve((seen, response) => {
    if (seen.url === '/flaky') flaky += 1;
    const status = seen.url === '/flaky' && flaky === 1 ? 503 : seen.url === '/missing' ? 404 : 200;
    return json(response, {}, {}, status);
  });
});

beforeEach(() => exporter.reset());

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await provider.shutdown();
  trace.disable();
  context.disable();
  propagation.disable();
});

const open = () => new APIIntegration({ baseURL: server.origin, policy: { retry: { baseDelayMs: 1 } } });

describe('spans', () => {
  it('are clients after the HTTP conventions, and the request carries their context', async () => {
    await using api = open();
    await withContext({ correlationId: 'job-7' }, () => api.get('/x?token=secret', { page: 1 }));
    const [span] = exporter.getFinishedSpans();
    expect(span?.name).toBe('GET');
    expect(span?.kind).toBe(SpanKind.CLIENT);
    expect(span?.attributes).toEqual({
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(server.origin).port),
      'url.full': `${server.origin}/x?token=REDACTED&page=REDACTED`,
      'http.response.status_code': 200,
      'safla.correlation_id': 'job-7',
    });
    const { traceId, spanId } = span?.spanContext() ?? {};
    expect(server.seen.at(-1)?.headers.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(server.seen.at(-1)?.headers['x-correlation-id']).toBe('job-7');
  });

  it('are one for each attempt, children of the span around the call', async () => {
    await using api = open();
    await provider.getTracer('host').startActiveSpan('work', async (parent) => {
      await api.get('/flaky');
      parent.end();
    });
    const spans = exporter.getFinishedSpans();
    const parent = spans.find(({ name }) => name === 'work');
    const attempts = spans.filter(({ name }) => name === 'GET');
    expect(
      attempts.map(({ attributes }) => [
        attributes['http.response.status_code'],
        attributes['http.request.resend_count'],
      ]),
    ).toEqual([
      [503, undefined],
      [200, 1],
    ]);
    for (const { parentSpanContext } of attempts) expect(parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
  });

  it('of failures have the status or the code as error.type', async () => {
    await using api = open();
    await rejection(api.get('/missing'));
    await using absent = new APIIntegration({ baseURL: 'http://127.0.0.1:1', policy: { retry: false } });
    await rejection(absent.get('/x'));
    const [missing, refused] = exporter.getFinishedSpans();
    expect([missing?.attributes['error.type'], missing?.status.code]).toEqual(['404', SpanStatusCode.ERROR]);
    expect([refused?.attributes['error.type'], refused?.status.code]).toEqual(['CONNECTION', SpanStatusCode.ERROR]);
  });
});

describe('metrics', () => {
  it('count every exchange in http.client.request.duration, with its outcome and nothing of the path', async () => {
    const records: [number, Attributes | undefined][] = [];
    const created: unknown[] = [];
    const meter = {
      createHistogram(name: string, options: unknown) {
        created.push([name, options]);
        return { record: (value: number, attributes?: Attributes) => records.push([value, attributes]) };
      },
    } as unknown as Meter;
    await using api = new APIIntegration({ baseURL: server.origin, policy: { retry: false }, telemetry: { meter } });
    await api.get('/x?token=secret');
    await rejection(api.get('/missing'));
    expect(created).toEqual([['http.client.request.duration', expect.objectContaining({ unit: 's' })]]);
    const target = {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(server.origin).port),
    };
    expect(records.map(([, attributes]) => attributes)).toEqual([
      { ...target, 'http.response.status_code': 200 },
      { ...target, 'http.response.status_code': 404, 'error.type': '404' },
    ]);
    expect(records.every(([seconds]) => seconds > 0 && seconds < 30)).toBe(true);
  });
});
