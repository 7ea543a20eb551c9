import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { cacheResults, definePrompt, defineTool, MCPServer } from '@safla/sdk/mcp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { waitUntil } from './support/wait-until.js';

const notes = {
  uriTemplate: 'notes://{user}/{day}{?page}',
  name: 'Notes',
  mimeType: 'text/markdown',
  complete: { user: (typed: string) => ['ada', 'alan', 'eve'].filter((user) => user.startsWith(typed)) },
  cacheHint: { ttlMs: 5_000, scope: 'public' },
  content: ({ user, day, page }: Readonly<Record<string, string>>) =>
    user === 'nobody' ? undefined : `${user} on ${day}, page ${page ?? 1}`,
} as const;

async function connect(server: MCPServer, mode: 'legacy' | 'auto' = 'auto'): Promise<Client> {
  const { url } = await server.listen();
  const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

describe('resource templates', () => {
  it('are listed, read with their variables, and completed', async () => {
    await using server = new MCPServer({ name: 's', version: '1', resourceTemplates: [notes] });
    const client = await connect(server);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([
      { uriTemplate: notes.uriTemplate, name: 'Notes', mimeType: 'text/markdown' },
    ]);
    const read = await client.readResource({ uri: 'notes://ada/2026-11-22?page=2' });
    expect(read.contents).toEqual([
      { uri: 'notes://ada/2026-11-22?page=2', mimeType: 'text/markdown', text: 'ada on 2026-11-22, page 2' },
    ]);
    expect(read).toMatchObject({ ttlMs: 5_000, cacheScope: 'public' });
    const completion = await client.complete({
      ref: { type: 'ref/resource', uri: notes.uriTemplate },
      argument: { name: 'user', value: 'a' },
    });
    expect(completion.completion).toEqual({ values: ['ada', 'alan'], total: 2, hasMore: false });
    await client.close();
  });

  it('say that there is no such resource, where none fits or the function knows none', async () => {
    await using server = new MCPServer({ name: 's', version: '1', resourceTemplates: [notes] });
    const client = await connect(server);
    await expect(client.readResource({ uri: 'notes://nobody/today' })).rejects.toThrow(/not found/i);
    await expect(client.readResource({ uri: 'other://x' })).rejects.toThrow(/not found/i);
    await client.close();
  });

  it('give the values that were put into the URI, whatever they are', async () => {
    const seen: Readonly<Record<string, string>>[] = [];
    await using server = new MCPServer({
      name: 's',
      version: '1',
      resourceTemplates: [{ uriTemplate: 'x://{a}/{b}', name: 'X', content: (variables) => `${seen.push(variables)}` }],
    });
    await using client = await server.connectInMemory();
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), async (a, b) => {
        await client.readResource(`x://${encodeURIComponent(a)}/${encodeURIComponent(b)}`);
        expect(seen.pop()).toEqual({ a, b });
      }),
      { numRuns: 50 },
    );
  });

  it('cannot be given twice, nor be relative', () => {
    const make = (...resourceTemplates: (typeof notes)[]) =>
      new MCPServer({ name: 's', version: '1', resourceTemplates });
    expect(() => make(notes, notes)).toThrow(/Two templates are named/);
    expect(() => make({ ...notes, uriTemplate: 'notes/{day}' as never })).toThrow(/absolute/);
  });
});

describe('changes', () => {
  it('of a subscribed resource reach clients of 2026-07-28', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      resources: [{ uri: 'memo://a', name: 'A', content: 'one' }],
    });
    const client = await connect(server);
    const heard: unknown[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void heard.push(params.uri));
    const listening = await client.listen({ resourceSubscriptions: ['memo://a'] });
    server.addResource('memo://a', { name: 'A', content: 'two' });
    server.resourceUpdated('memo://b');
    await waitUntil(() => heard.length > 0, 'the change is heard');
    expect(heard).toEqual(['memo://a']);
    await listening.close();
    await client.close();
  });

  it('take tools, templates and prompts away again', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [defineTool({ name: 't', description: 't' }, () => 1)],
      prompts: [definePrompt({ name: 'p' }, () => 'p')],
    });
    server.addResourceTemplate(notes).removeTool('t').removePrompt('p').removeResourceTemplate(notes.uriTemplate);
    server.removeTool('t').removePrompt('p');
    const client = await connect(server, 'legacy');
    expect((await client.listTools()).tools).toEqual([]);
    expect((await client.listPrompts()).prompts).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    await client.close();
  });
});

describe('completion of prompt arguments', () => {
  it('knows the arguments that have a value, and gives no more than 100', async () => {
    const prompt = definePrompt(
      {
        name: 'city',
        input: z.object({ country: z.string(), city: z.string() }),
        complete: {
          city: (typed, { country }) => Array.from({ length: 150 }, (_, index) => `${country}-${typed}${index}`),
        },
      },
      () => 'x',
    );
    await using server = new MCPServer({ name: 's', version: '1', prompts: [prompt] });
    const client = await connect(server);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'city' },
      argument: { name: 'city', value: 'b' },
      context: { arguments: { country: 'fr' } },
    });
    expect(completion).toMatchObject({ total: 150, hasMore: true });
    expect(completion.values).toHaveLength(100);
    expect(completion.values[0]).toBe('fr-b0');
    await client.close();
  });
});

describe('cacheResults', () => {
  it('answers repeated calls of read-only tools, each caller by itself', async () => {
    let runs = 0;
    const read = defineTool({ name: 'read', description: 'Read', annotations: { readOnlyHint: true } }, (args) => {
      runs += 1;
      return { runs, args };
    });
    const write = defineTool({ name: 'write', description: 'Write' }, () => ++runs);
    const use = [cacheResults({ ttlMs: 60_000, maxEntries: 2 })];
    await using server = new MCPServer({ name: 's', version: '1', tools: [read, write], use });
    await using client = await server.connectInMemory();
    const first = await client.callTool('read', { a: 1 });
    expect((await client.callTool('read', { a: 1 })).structuredContent).toEqual(first.structuredContent);
    expect(runs).toBe(1);
    await client.callTool('read', { a: 2 });
    await client.callTool('read', { a: 3 });
    await client.callTool('read', { a: 1 });
    expect(runs).toBe(4);
    await client.callTool('write');
    await client.callTool('write');
    expect(runs).toBe(6);
    expect(() => cacheResults({ ttlMs: 0 })).toThrow(/ttlMs/);
  });
});

describe('telemetry', () => {
  it('continues the trace that the caller tells in _meta', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    trace.setGlobalTracerProvider(provider);
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    try {
      const tools = [
        defineTool({ name: 'ok', description: 'ok' }, () => 'ok'),
        defineTool({ name: 'bad', description: 'bad' }, () => Promise.reject(new Error('boom'))),
      ];
      await using server = new MCPServer({ name: 's', version: '1', tools });
      const client = await connect(server);
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await client.callTool({ name: 'ok', _meta: { traceparent } });
      await client.callTool({ name: 'bad' });
      await client.close();
      const [ok, bad] = exporter.getFinishedSpans();
      expect(ok).toMatchObject({
        name: 'tools/call ok',
        kind: 1,
        parentSpanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
        attributes: { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': 'ok' },
      });
      expect(bad).toMatchObject({ name: 'tools/call bad', parentSpanContext: undefined, status: { code: 2 } });
    } finally {
      trace.disable();
      propagation.disable();
    }
  });
});
