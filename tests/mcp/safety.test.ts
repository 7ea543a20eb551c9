import { randomBytes } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { defineTool, MCPServer, type MCPServerOptions } from '@safla/sdk/mcp';
import { MemoryLimiter, TokenService } from '@safla/sdk/security';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConnectionError } from '../../src/core/index.js';
import { recordingLogger } from './support/recording-logger.js';
import { waitUntil } from './support/wait-until.js';

const whoami = defineTool({ name: 'whoami', description: 'Who' }, (_, context) => context.principal ?? 'nobody');
const guarded = defineTool({ name: 'guarded', description: 'Guarded', scopes: ['orders:write'] }, () => 'inside');
const make = (options: Partial<MCPServerOptions> = {}): MCPServer =>
  new MCPServer({ name: 's', version: '1', tools: [whoami, guarded], ...options });

function call(
  server: MCPServer,
  name: string,
  headers: Record<string, string> = {},
  args: object = {},
): Promise<Response> {
  return server.fetch(
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
    }),
  );
}

describe('authorize', () => {
  const tokens = new TokenService({
    keys: [{ id: 'a', algorithm: 'HS256', secret: randomBytes(64) }],
    issuer: 'https://login.example.com',
    audience: 'https://mcp.example.com',
  });
  const bearer = async (payload: Record<string, unknown>): Promise<Record<string, string>> => ({
    authorization: `Bearer ${(await tokens.issue(payload)).accessToken}`,
  });

  it('takes a token service: the payload says who calls and what it may', async () => {
    await using server = make({ authorize: tokens });
    const ada = await bearer({ sub: 'ada', scope: 'orders:read orders:write' });
    const eve = await bearer({ sub: 'eve', scope: 'orders:read' });
    expect(await (await call(server, 'whoami', ada)).text()).toContain('orders:write');
    expect(await (await call(server, 'guarded', ada)).text()).toContain('inside');
    expect(await (await call(server, 'guarded', eve)).text()).toContain("needs the scope 'orders:write'");
  });

  it.each([
    ['no token', {}],
    ['another scheme', { authorization: 'Basic YTpi' }],
    ['a forged token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.' }],
    ['a broken header', { authorization: 'Bearer a b' }],
  ])('answers 401 to %s, and says where to log in', async (_, headers) => {
    const resourceMetadataURL = 'https://mcp.example.com/.well-known/oauth-protected-resource';
    await using server = make({ authorize: tokens, resourceMetadataURL });
    const response = await call(server, 'whoami', headers as Record<string, string>);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain(`resource_metadata="${resourceMetadataURL}"`);
  });

  it('asks about every request of a session', async () => {
    let valid = true;
    await using server = make({ authorize: () => (valid ? { id: 'ada' } : undefined) });
    const { url } = await server.listen();
    const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    expect((await client.callTool({ name: 'whoami' })).structuredContent).toEqual({ id: 'ada' });
    valid = false;
    await expect(client.callTool({ name: 'whoami' })).rejects.toThrow();
    await client.close();
  });

  it('answers 503, not 401, when the verifier cannot be reached', async () => {
    const verify = async (): Promise<never> => {
      throw new ConnectionError('The key set cannot be fetched', {});
    };
    await using server = make({ authorize: { verify } });
    expect((await call(server, 'whoami', { authorization: 'Bearer abcdef' })).status).toBe(503);
  });

  it('keeps the token from handlers', async () => {
    const seen: unknown[] = [];
    const spy = defineTool({ name: 'spy', description: 'Spy' }, (_, context) => {
      seen.push(JSON.stringify(context), context.principal);
      return 'ok';
    });
    await using server = make({ tools: [spy], authorize: tokens });
    const headers = await bearer({ sub: 'ada' });
    await call(server, 'spy', headers);
    expect(JSON.stringify(seen)).not.toContain(headers.authorization?.split(' ')[1]);
    expect(seen[1]).toEqual({ id: 'ada', scopes: [] });
  });
});

describe('limiter', () => {
  it.each([
    ['its own', { limit: 3, intervalMs: 60_000 }],
    ['a MemoryLimiter', new MemoryLimiter({ limit: 3, intervalMs: 60_000 })],
  ])('answers 429 to the caller that sends too much, by %s, and to nobody else', async (_, limiter) => {
    await using server = make({ limiter, authorize: (request) => ({ id: request.headers.get('x-user') ?? '' }) });
    const statuses: number[] = [];
    for (let index = 0; index < 4; index++) statuses.push((await call(server, 'whoami', { 'x-user': 'ada' })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await call(server, 'whoami', { 'x-user': 'eve' })).status).toBe(200);
    const refused = await call(server, 'whoami', { 'x-user': 'ada' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('that fails lets requests go on, and is logged', async () => {
    const { logger, records } = recordingLogger();
    const consume = () => Promise.reject(new Error('Redis is away'));
    await using server = make({ limiter: { consume }, telemetry: { logger } });
    expect((await call(server, 'whoami')).status).toBe(200);
    expect(JSON.stringify(records)).toContain('Redis is away');
  });
});

describe('bad input', () => {
  const add = defineTool(
    { name: 'add', description: 'Add', input: z.object({ a: z.number(), b: z.number() }) },
    ({ a, b }) => a + b,
  );

  it('of 10 MB is answered 413 before it is parsed', async () => {
    await using server = make();
    expect((await call(server, 'whoami', {}, { text: 'x'.repeat(10_000_000) })).status).toBe(413);
    const modern = { 'mcp-method': 'tools/call', 'mcp-name': 'whoami', 'mcp-protocol-version': '2026-07-28' };
    expect((await call(server, 'whoami', modern, { text: 'x'.repeat(10_000_000) })).status).toBe(413);
  });

  it.each([
    ['text', '{ not json', 400],
    ['an empty body', '', 400],
  ])('that is %s is answered %s', async (_, body, status) => {
    await using server = make();
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const response = await server.fetch(new Request('http://localhost/mcp', { method: 'POST', headers, body }));
    expect(response.status).toBe(status);
  });

  it('of another media type is answered 415', async () => {
    await using server = make();
    expect((await call(server, 'whoami', { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it.each([
    [
      'arguments against the schema',
      { name: 'add', arguments: { a: 'x' } },
      /Invalid arguments for tool 'add':.*- a: .*- b: /s,
    ],
    ['an unknown tool', { name: 'ad' }, /Unknown tool 'ad'; did you mean 'add'/],
    ['arguments that are no object', { name: 'add', arguments: [1] }, /params\.arguments must be an object/],
    ['a name that is no text', { name: 7 }, /params\.name must be a text/],
  ])('with %s tells what is wrong', async (_, params, expected) => {
    await using server = make({ tools: [add] });
    const request = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    });
    const text = (await (await server.fetch(request)).text()).replaceAll('\\n', '\n');
    expect(text).toMatch(expected);
  });

  it.each([
    ['no content', { content: [{ type: 'text' }] }],
    ['an image without data', { content: [{ type: 'image', mimeType: 'image/png' }] }],
    ['a resource without contents', { content: [{ type: 'resource', resource: { uri: 'a:b' } }] }],
  ])('of a handler that answers %s is a reference to the client', async (_, answer) => {
    await using server = make({ tools: [defineTool({ name: 'odd', description: 'Odd' }, () => answer)] });
    await using client = await server.connectInMemory();
    expect(await client.callTool('odd')).toMatchObject({ isError: true, text: expect.stringMatching(/Reference/) });
  });

  it.each([
    ['authorize', { authorize: {} }],
    ['limiter', { limiter: { limit: 0, intervalMs: 1 } }],
    ['sessions', { sessions: { idle: 1 } }],
    ['stateKey', { stateKey: 'short' }],
    ['cacheHint', { cacheHint: { ttl: 1 } }],
    ['resourceMetadataURL', { resourceMetadataURL: 'nowhere' }],
    ['callTimeoutMs', { callTimeoutMs: 0 }],
  ])('in the option %s is refused at once', (field, options) => {
    expect(() => make(options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', field: expect.stringContaining(field) }),
    );
  });
});

describe('operations', () => {
  it('a default time limit ends what hangs', async () => {
    const hang = defineTool({ name: 'hang', description: 'Hang' }, () => new Promise(() => undefined));
    await using server = make({ tools: [hang], callTimeoutMs: 30 });
    await using client = await server.connectInMemory();
    expect(await client.callTool('hang')).toMatchObject({
      isError: true,
      text: "Tool 'hang' did not finish within 30 ms",
    });
  });

  it('an audit gets a record of each call, and cannot fail it', async () => {
    const records: unknown[] = [];
    const { logger, records: logged } = recordingLogger();
    await using server = make({
      telemetry: { logger },
      audit: (record) => {
        records.push(record);
        throw new Error('disk full');
      },
    });
    expect((await call(server, 'whoami', {}, { a: 1 })).status).toBe(200);
    expect(await (await call(server, 'guarded')).text()).toContain('needs the scope');
    await waitUntil(() => records.length === 2, 'both are recorded');
    expect(records).toEqual([
      expect.objectContaining({ tool: 'whoami', arguments: { a: 1 }, outcome: 'answered', time: expect.any(Date) }),
      expect.objectContaining({ tool: 'guarded', outcome: 'failed', correlationId: expect.any(String) }),
    ]);
    await waitUntil(() => JSON.stringify(logged).includes('disk full'), 'the failure is logged');
    expect(server.stats()).toMatchObject({ whoami: { calls: 1, failed: 0 }, guarded: { calls: 1, failed: 1 } });
  });

  it('health is shown beside the endpoint, without names', async () => {
    let status: 'pass' | 'fail' = 'pass';
    const database = { name: 'secret-db', health: async () => ({ status, output: 'password=hunter2' }) };
    await using server = make({ health: [database] });
    const { url, port } = await server.listen();
    const probe = (): Promise<Response> => fetch(`http://127.0.0.1:${port}/health`);
    expect(await (await probe()).json()).toEqual({ status: 'pass' });
    status = 'fail';
    const failing = await probe();
    expect(failing.status).toBe(503);
    expect(await failing.text()).toBe('{"status":"fail"}');
    expect(await server.health()).toMatchObject({ checks: { 'secret-db': [{ status: 'fail' }] } });
    expect((await fetch(url.replace('/mcp', '/other'))).status).toBe(404);
  });
});
