import { getEventListeners } from 'node:events';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from '@safla/sdk/core';
import { EventBusIntegration, EventStream } from '@safla/sdk/events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drained, recorder } from './support.js';

const exporter = new InMemorySpanExporter();

beforeAll(() => {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
});

afterAll(() => {
  for (const api of [trace, propagation, context]) api.disable();
});

describe('telemetry of events', () => {
  it('opens spans for sending and processing, and puts the trace of the sender into the envelope', async () => {
    await using stream = new EventStream({ url: 'memory:' });
    const { events, handler } = recorder();
    await using _consumer = await stream.consume('orders', { group: 'g' }, handler);
    await stream.publish('orders', 1);
    await drained(stream, 'orders', 'g');
    const spans = exporter.getFinishedSpans();
    const sent = spans.find(({ name }) => name === 'send orders');
    const processed = spans.find(({ name }) => name === 'process orders');
    expect(sent?.kind).toBe(SpanKind.PRODUCER);
    expect(sent?.attributes).toMatchObject({ 'messaging.destination.name': 'orders' });
    expect(processed?.kind).toBe(SpanKind.CONSUMER);
    expect(processed?.attributes).toMatchObject({ 'messaging.consumer.group.name': 'g' });
    const { traceId, spanId } = sent?.spanContext() ?? {};
    expect(events[0]?.envelope?.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect(processed?.spanContext().traceId).toBe(traceId);
    expect(processed?.parentSpanContext).toMatchObject({ spanId, isRemote: true });
  });

  it('masks secrets in logs and dead letters, and logs no data of events', async () => {
    const lines: string[] = [];
    const write = (facts: object, message?: string): void => void lines.push(JSON.stringify([facts, message]));
    const logger: Logger = { debug: write, info: write, warn: write, error: write };
    await using stream = new EventStream({
      url: 'memory:',
      telemetry: { logger },
      redelivery: { maxDeliveries: 2, baseDelayMs: 0 },
    });
    await using _consumer = await stream.consume('orders', { group: 'g' }, () => {
      throw new Error('refused: password=canary-1');
    });
    await stream.publish('orders', { card: 'canary-2' });
    await drained(stream, 'orders', 'g');
    const [letter] = await stream.deadLetters('orders').list();
    expect(lines).toHaveLength(2);
    expect(lines.join() + letter?.reason).toMatch(/redacted/);
    expect(lines.join() + letter?.reason).not.toMatch(/canary/);
  });

  it('leaves no listener on a long-lived signal', async () => {
    const { signal } = new AbortController();
    await using stream = new EventStream({ url: 'memory:' });
    await using bus = new EventBusIntegration('memory:');
    await bus.subscribe(['a'], { signal });
    for (let n = 0; n < 20; n++) {
      await stream.publish('orders', n, { signal });
      await bus.publish('a', n, { signal });
    }
    for await (const _ of stream.replay('orders', { signal }))
      expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
