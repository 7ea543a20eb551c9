import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ConnectionError, spanKind, Telemetry, withContext } from '@safla/sdk/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const exporter = new InMemorySpanExporter();

describe('Telemetry', () => {
  const telemetry = new Telemetry('api');
  const request = { name: 'GET', kind: spanKind.client, attributes: { 'server.address': 'h' } };

  it('opens no span as long as the host has not set up OpenTelemetry', async () => {
    await expect(telemetry.span(request, async (span) => span)).resolves.toBeUndefined();
    await expect(telemetry.propagation()).resolves.toEqual({});
  });

  it('listens when the host gave something to tell', () => {
    const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
    const tracer = trace.getTracer('host');
    const [none, logs, traces] = [telemetry, new Telemetry('api', { logger }), new Telemetry('api', { tracer })];
    expect([none.listening, logs.listening, traces.listening]).toEqual([false, true, true]);
    expect([none.tracing, logs.tracing, traces.tracing]).toEqual([false, false, true]);
  });

  describe('with the OpenTelemetry SDK', () => {
    beforeAll(() => {
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    });
    beforeEach(() => exporter.reset());

    it('listens without being given anything', () => {
      expect([telemetry.listening, telemetry.tracing]).toEqual([true, true]);
    });

    afterAll(() => {
      trace.disable();
      context.disable();
      propagation.disable();
    });

    it('opens spans that nest over awaits and carry the correlation id', async () => {
      await withContext({ correlationId: 'c-9' }, () =>
        telemetry.span(request, () =>
          telemetry.span({ name: 'inner', kind: spanKind.internal }, async () => undefined),
        ),
      );
      const [inner, outer] = exporter.getFinishedSpans();
      expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
      expect(outer?.kind).toBe(2);
      expect(outer?.attributes).toEqual({ 'server.address': 'h', 'safla.correlation_id': 'c-9' });
    });

    it('marks a failed span with the code and a redacted message', async () => {
      const failing = telemetry.span(request, async () => {
        throw new ConnectionError('no answer from https://u:hunter2@h/');
      });
      await expect(failing).rejects.toBeInstanceOf(ConnectionError);
      const [span] = exporter.getFinishedSpans();
      expect(span?.status.code).toBe(2);
      expect(span?.attributes['error.type']).toBe('CONNECTION');
      expect(JSON.stringify([span?.status, span?.attributes, span?.events])).not.toContain('hunter2');
    });

    it('takes the parent of a span from the headers of another process, whatever is active here', async () => {
      const ids = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'] as const;
      const remote = { traceparent: `00-${ids.join('-')}-01`, tracestate: undefined };
      await telemetry.span(request, async () => {
        await telemetry.span({ ...request, remote }, () => telemetry.span(request, async () => undefined));
        await telemetry.span({ ...request, name: 'orphan', remote: { traceparent: 'not one' } }, async () => undefined);
      });
      const [inner, caused, orphan] = exporter.getFinishedSpans();
      expect([caused?.spanContext().traceId, caused?.parentSpanContext?.spanId]).toEqual(ids);
      expect(inner?.parentSpanContext?.spanId).toBe(caused?.spanContext().spanId);
      expect(orphan?.parentSpanContext).toBeUndefined();
    });

    it('gives the trace context of the active span as headers', async () => {
      const headers = await telemetry.span(request, () => telemetry.propagation());
      expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    });
  });
});
