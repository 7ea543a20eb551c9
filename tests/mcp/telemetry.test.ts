import { type Meter, metrics, propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { asTask, defineTool, MCPServer, type MCPServerOptions, ToolError } from '@safla/sdk/mcp';
import { afterEach, describe, expect, it } from 'vitest';
import { HeldMetrics } from '../support/metrics.js';
import { ask } from './support/ask.js';
import { waitUntil } from './support/wait-until.js';

const tools = [
  defineTool({ name: 'ok', description: 'Answers' }, () => 'ok'),
  defineTool({ name: 'bad', description: 'Fails' }, () => {
    throw new ToolError('no');
  }),
  defineTool({ name: 'hang', description: 'Hangs' }, () => new Promise(() => undefined)),
  asTask(defineTool({ name: 'long', description: 'A task' }, () => 'done')),
];
const make = (options: Partial<MCPServerOptions> = {}): MCPServer =>
  new MCPServer({ name: 's', version: '1', tools, ...options });
const call = (server: MCPServer, name: string, more: object = {}): ReturnType<typeof ask> =>
  ask(server, 'tools/call', { name, arguments: {}, ...more }, { capabilities: {} });

afterEach(() => {
  metrics.disable();
  trace.disable();
  propagation.disable();
});

describe('metrics', () => {
  it('have each call in one histogram of seconds, by tool and by how it failed', async () => {
    const held = new HeldMetrics();
    await using server = make({ telemetry: held });
    await call(server, 'ok');
    await call(server, 'ok');
    await call(server, 'bad');
    await using client = await server.connectInMemory();
    const gone = new AbortController();
    const hanging = client.callTool('hang', {}, { signal: gone.signal }).catch(() => undefined);
    setTimeout(() => gone.abort(), 50);
    await hanging;
    const measured = await held.taken(4);
    for (const { name, unit, boundaries, attributes } of measured) {
      expect([name, unit, attributes['mcp.method.name']]).toEqual(['mcp.server.operation.duration', 's', 'tools/call']);
      expect(boundaries).toContain(0.005);
    }
    expect(
      measured.map(({ attributes, count }) => [attributes['gen_ai.tool.name'], attributes['error.type'], count]),
    ).toEqual([
      ['ok', undefined, 2],
      ['bad', 'failed', 1],
      ['hang', 'cancelled', 1],
    ]);
    expect(measured[2]?.sum).toBeGreaterThan(0.02);
    expect(server.stats()).toMatchObject({
      ok: { calls: 2, failed: 0, cancelled: 0 },
      bad: { calls: 1, failed: 1, cancelled: 0 },
      hang: { calls: 1, failed: 0, cancelled: 1 },
    });
  });

  it('reach the metrics SDK that the host has set up for its process', async () => {
    const held = new HeldMetrics();
    metrics.setGlobalMeterProvider(held.provider);
    await using server = make();
    await call(server, 'ok');
    expect((await held.taken(1))[0]?.attributes['gen_ai.tool.name']).toBe('ok');
  });

  it('count a task once, with the time the tool took', async () => {
    const held = new HeldMetrics();
    await using server = make({ telemetry: held });
    await ask(server, 'tools/call', { name: 'long', arguments: {} });
    const measured = await held.taken(1);
    expect(measured.map(({ attributes, count }) => [attributes['gen_ai.tool.name'], count])).toEqual([['long', 1]]);
  });

  it('of a meter that is broken fail no call', async () => {
    const createHistogram = (): never => {
      throw new Error('broken meter');
    };
    await using server = make({ telemetry: { meter: { createHistogram } as unknown as Meter } });
    expect((await call(server, 'ok')).result?.content).toEqual([{ type: 'text', text: 'ok' }]);
  });
});

describe('spans', () => {
  const spans = (): InMemorySpanExporter => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    return exporter;
  };
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const parent = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, tracestate: 'vendor=1' };

  it('are children of the traceparent in _meta, with its tracestate, also those of a task', async () => {
    const exporter = spans();
    await using server = make();
    await call(server, 'ok', { _meta: parent });
    await ask(server, 'tools/call', { name: 'long', arguments: {}, _meta: parent });
    await waitUntil(() => exporter.getFinishedSpans().length === 2, 'both spans ended');
    for (const span of exporter.getFinishedSpans()) {
      expect(span.parentSpanContext).toMatchObject({ traceId, spanId: 'b7ad6b7169203331', isRemote: true });
      expect(span.spanContext().traceState?.get('vendor')).toBe('1');
    }
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['tools/call ok', 'tools/call long']);
  });

  it.each(['garbage', 'garbage-in-many-parts-00', 7, null])(
    'begin a trace of their own for the traceparent %j',
    async (traceparent) => {
      const exporter = spans();
      await using server = make();
      const { result } = await call(server, 'ok', { _meta: { traceparent } });
      expect(result?.isError).toBeUndefined();
      expect(exporter.getFinishedSpans()[0]?.parentSpanContext).toBeUndefined();
    },
  );

  it('say that a tool failed', async () => {
    const exporter = spans();
    await using server = make();
    await call(server, 'bad');
    expect(exporter.getFinishedSpans()[0]).toMatchObject({ name: 'tools/call bad', status: { code: 2 } });
  });
});
