import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { withContext } from '@safla/sdk/core';
import { PostgresDatabase, sql } from '@safla/sdk/database';
import { describe, expect, it } from 'vitest';
import { rejection } from './support.js';

describe('telemetry', () => {
  it('shows texts of templates and how they ended, never a value', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    const durations: unknown[] = [];
    const logs: unknown[] = [];
    const log = (facts: object, message?: string): void => void logs.push({ facts, message });
    const meter = {
      createHistogram: (name: string) => ({
        record: (value: number, attributes: object) => durations.push([name, value > 0, attributes]),
      }),
    };
    await using db = new PostgresDatabase({
      url: 'memory:',
      telemetry: {
        tracer: provider.getTracer('test'),
        meter: meter as never,
        logger: { debug: log, info: log, warn: log, error: log },
      },
    });
    await withContext({ correlationId: 'c-1' }, () => db.sql`select ${'canary-value'}::text a`);
    await rejection(db.sql`select ${'canary-value'}::int a`);
    await rejection(db.query("select 'canary-value' a, 1 / 0"));
    await db.transaction((tx) => tx.sql`select ${'canary-value'}::text a`);
    for await (const _ of db.stream(sql`select ${'canary-value'}::text a`));
    await expect.poll(() => durations.length).toBe(4);
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name }) => name)).toEqual(['select', 'select', 'select', 'transaction']);
    expect(spans[0]?.attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'select',
      'db.query.text': 'select $1::text a',
      'safla.correlation_id': 'c-1',
    });
    expect(spans[1]?.attributes).toMatchObject({ 'error.type': 'DATABASE' });
    // A text that is not a template may hold values.
    expect(spans[2]?.attributes).not.toHaveProperty('db.query.text');
    const shown = JSON.stringify([
      spans.map(({ attributes, status, events }) => ({ attributes, status, events })),
      durations,
      logs,
    ]);
    expect(shown).not.toContain('canary');
    expect(durations[1]).toEqual([
      'db.client.operation.duration',
      true,
      { 'db.system.name': 'postgresql', 'db.operation.name': 'select', 'error.type': 'DATABASE' },
    ]);
  });
});
