import { request } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { defineTool, MCPHost, MCPServer, type MCPServerOptions } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { waitUntil } from './support/wait-until.js';

const add = defineTool(
  { name: 'add', description: 'Add', input: z.object({ a: z.number(), b: z.number() }) },
  ({ a, b }) => ({ sum: a + b }),
);
const make = (options: Partial<MCPServerOptions> = {}): MCPServer =>
  new MCPServer({ name: 'web', version: '1', tools: [add], ...options });

/** One raw request, because `fetch` does not let a caller choose Host. */
function post(url: string, headers: Record<string, string>, body = '{}'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('listen', () => {
  it.each([
    ['legacy', '2025-11-25'],
    ['auto', '2026-07-28'],
  ] as const)('serves the official client (%s: %s)', async (mode, version) => {
    await using server = make();
    const { url } = await server.listen();
    const client = new Client({ name: 'raw', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools).toHaveLength(1);
    const answer = await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
    expect(answer.structuredContent).toEqual({ sum: 3 });
    await client.close();
  });

  it.each([
    ['a foreign Host', { host: 'evil.example' }],
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['an opaque Origin', { origin: 'null' }],
  ])('refuses %s', async (_, headers) => {
    await using server = make();
    const { url } = await server.listen();
    expect(await post(url, headers)).toBe(403);
  });

  it('answers hosts and origins that are allowed by name', async () => {
    await using server = make({ allowedHosts: ['mcp.example.com'], allowedOrigins: ['app.example.com'] });
    const { url } = await server.listen();
    expect(await post(url, { host: 'mcp.example.com', origin: 'https://app.example.com' })).not.toBe(403);
    expect(await post(url, { host: 'other.example.com' })).toBe(403);
  });

  it('answers 404 beside its path and 413 to a body that is too large', async () => {
    await using server = make({ maxRequestBytes: 1_000 });
    const { url, port } = await server.listen({ path: '/tools' });
    expect(url).toBe(`http://127.0.0.1:${port}/tools`);
    expect(await post(`http://127.0.0.1:${port}/mcp`, {})).toBe(404);
    expect(await post(url, {}, JSON.stringify({ x: 'y'.repeat(2_000) }))).toBe(413);
  });

  it('does not open itself to other machines without allowed hosts', async () => {
    await using server = make();
    await expect(server.listen({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('says that a port is taken', async () => {
    await using server = make();
    const { port } = await server.listen();
    await expect(make().listen({ port })).rejects.toMatchObject({ code: 'CONNECTION', systemCode: 'EADDRINUSE' });
  });

  it('frees the port when the server closes', async () => {
    const server = make();
    const { url } = await server.listen();
    await server.close();
    await expect(fetch(url)).rejects.toThrow();
  });

  it('writes running answers before it closes, and answers 503 to new requests meanwhile', async () => {
    let running = false;
    let finish: () => void = () => undefined;
    const slow = defineTool({ name: 'slow', description: 'Slow' }, async () => {
      running = true;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return 'done';
    });
    for (const mode of ['legacy', 'auto'] as const) {
      running = false;
      const server = make({ tools: [slow] });
      const { url } = await server.listen();
      const client = new Client({ name: 'raw', version: '1' }, { versionNegotiation: { mode } });
      await client.connect(new StreamableHTTPClientTransport(new URL(url)));
      const answer = client.callTool({ name: 'slow' });
      await waitUntil(() => running, 'the tool runs');
      const closing = server.close({ timeoutMs: 20_000 });
      expect(await post(url, {})).toBe(503);
      finish();
      expect(await answer).toMatchObject({ content: [{ text: 'done' }] });
      await closing;
      await expect(fetch(url)).rejects.toThrow();
      await client.close();
    }
  });

  it.each([
    ['a port that is a text', { port: 'abc' }, 'port'],
    ['a port below 0', { port: -5 }, 'port'],
    ['an unknown option', { prot: 1 }, 'prot'],
    ['a path without a slash', { path: 'mcp' }, 'path'],
  ])('refuses %s', async (_, options, field) => {
    await using server = make();
    await expect(server.listen(options as never)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      field: `MCPServer.listen.${field}`,
    });
  });

  it('aborts the handler when the client cancels', async () => {
    let running = false;
    let aborted = false;
    const hang = defineTool({ name: 'hang', description: 'Hang' }, async (_, { signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      running = true;
      await new Promise(() => undefined);
    });
    await using server = make({ tools: [hang] });
    const { url } = await server.listen();
    await using host = new MCPHost({ servers: { web: { type: 'http', url } } });
    const abort = new AbortController();
    const call = host.callTool('hang', {}, { signal: abort.signal });
    call.catch(() => undefined);
    await waitUntil(() => running, 'the tool runs');
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    await waitUntil(() => aborted, 'the handler saw it');
  });
});

describe('fetch', () => {
  const call = (name: string): Request =>
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } }),
    });
  const tools = [
    defineTool({ name: 'whoami', description: 'Who' }, (_, { principal }) => principal ?? 'nobody'),
    defineTool({ name: 'guarded', description: 'Guarded', scopes: ['read', 'write'] }, () => 'inside'),
  ];

  it('tells the handler who calls', async () => {
    await using server = make({ tools });
    const response = await server.fetch(call('whoami'), { principal: { id: 'ada', scopes: ['read'] } });
    expect(await response.text()).toContain('{\\"id\\":\\"ada\\",\\"scopes\\":[\\"read\\"]}');
    expect(await (await server.fetch(call('whoami'))).text()).toContain('nobody');
  });

  it('lets a tool with scopes be called only by those who have all of them', async () => {
    await using server = make({ tools });
    const by = async (scopes?: string[]): Promise<string> =>
      (await server.fetch(call('guarded'), scopes ? { principal: { id: 'ada', scopes } } : {})).text();
    expect(await by()).toContain("needs the scope 'read', 'write'");
    expect(await by(['read'])).toContain("needs the scope 'write'");
    expect(await by(['write', 'read'])).toContain('inside');
    await using client = await server.connectInMemory();
    expect((await client.callTool('guarded')).text).toBe('inside');
  });

  it('judges a request without Host by its URL', async () => {
    await using server = make({ tools });
    expect((await server.fetch(new Request('http://evil.example/mcp', { method: 'POST' }))).status).toBe(403);
  });
});
