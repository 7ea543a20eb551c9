import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { defineTool, MCPServer, type MCPServerOptions } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { waitUntil } from './support/wait-until.js';

const soak = process.env.SAFLA_SOAK === '1';
const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const echo = defineTool({ name: 'echo', description: 'Echo' }, (_, { client }) => ({ client: client.name }));
const make = (options: Partial<MCPServerOptions> = {}): MCPServer =>
  new MCPServer({ name: 's', version: '1', tools: [echo], limiter: false, ...options });

function send(server: MCPServer, body: object, session?: string, principal?: string): Promise<Response> {
  const extra = session ? { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' } : {};
  const request = new Request('http://localhost/mcp', {
    method: 'POST',
    headers: { ...headers, ...extra },
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
  });
  return server.fetch(request, principal ? { principal: { id: principal } } : {});
}

const hello = (name = 'one', more: object = {}) => ({
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name, version: '1', ...more } },
});
const call = { id: 1, method: 'tools/call', params: { name: 'echo', arguments: {} } };

async function open(server: MCPServer, name = 'one', principal?: string): Promise<string> {
  const response = await send(server, hello(name), undefined, principal);
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

describe('sessions of clients before 2026-07-28', () => {
  it('remember who the client is, and end by DELETE', async () => {
    await using server = make();
    const session = await open(server);
    expect(await (await send(server, call, session)).text()).toContain('{\\"client\\":\\"one\\"}');
    const end = new Request('http://localhost/mcp', { method: 'DELETE', headers: { 'mcp-session-id': session } });
    expect((await server.fetch(end)).status).toBe(200);
    expect((await send(server, call, session)).status).toBe(404);
  });

  it('belong to who opened them', async () => {
    await using server = make();
    const session = await open(server, 'one', 'ada');
    expect((await send(server, call, session, 'eve')).status).toBe(404);
    expect((await send(server, call, session)).status).toBe(404);
    expect((await send(server, call, session, 'ada')).status).toBe(200);
  });

  it('that slept wake up as they were, however many there are', async () => {
    await using server = make();
    const sessions: string[] = [];
    for (let index = 0; index < 150; index++) sessions.push(await open(server, `client-${index}`));
    for (const [index, session] of sessions.entries()) {
      expect(await (await send(server, call, session)).text()).toContain(`client-${index}\\`);
    }
  });

  it('are forgotten when they are too old, or when others need the room', async () => {
    await using few = make({ sessions: { maxSessions: 2 } });
    const [first, second, third] = [await open(few), await open(few), await open(few)];
    expect((await send(few, call, first)).status).toBe(404);
    expect((await send(few, call, second)).status).toBe(200);
    expect((await send(few, call, third)).status).toBe(200);
    await using brief = make({ sessions: { idleMs: 1 } });
    const old = await open(brief);
    await sleep(20);
    expect((await send(brief, call, old)).status).toBe(404);
  });

  it('refuse an initialize that would be costly to keep', async () => {
    await using server = make();
    expect((await send(server, hello('one', { title: 'x'.repeat(10_000) }))).status).toBe(413);
  });

  it('can be switched off: each request is then answered by itself', async () => {
    await using server = make({ sessions: false });
    const response = await send(server, hello());
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await (await send(server, call)).text()).toContain('content');
  });

  it('hear of resources they subscribed to, and cancel their calls', async () => {
    let aborted = false;
    let running = false;
    const hang = defineTool({ name: 'hang', description: 'Hang' }, async (_, { signal }) => {
      running = true;
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      aborted = true;
    });
    await using server = make({ tools: [hang], resources: [{ uri: 'memo://a', name: 'A', content: 'one' }] });
    const { url } = await server.listen();
    const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    const updated: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void updated.push(params.uri));
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    await client.subscribeResource({ uri: 'memo://a' });
    // The stream for news opens beside the first answer.
    const timer = setInterval(() => server.addResource('memo://a', { name: 'A', content: 'two' }), 20);
    await waitUntil(() => updated.includes('memo://a'), 'the client hears of the change').finally(() =>
      clearInterval(timer),
    );
    const abort = new AbortController();
    const calling = client.callTool({ name: 'hang' }, { signal: abort.signal }).catch(() => undefined);
    await waitUntil(() => running, 'the tool runs');
    abort.abort(new Error('enough'));
    await calling;
    await waitUntil(() => aborted, 'the handler is aborted');
    await client.close();
  });
});

describe('memory', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = async (): Promise<number> => {
    for (let turn = 0; turn < 4; turn++) {
      collect();
      await sleep(10);
    }
    return process.memoryUsage().heapUsed;
  };
  const count = soak ? 10_000 : 2_000;

  it('less than 1 kB stays of an abandoned session', { timeout: 300_000 }, async () => {
    await using server = make({ sessions: { maxSessions: 20_000 } });
    for (let index = 0; index < 300; index++) await open(server, `warm-${index}`);
    const before = await used();
    for (let index = 0; index < count; index++) await open(server, `client-${index}`);
    expect(((await used()) - before) / count).toBeLessThan(1_024);
  });

  it('less than 1 kB stays of an aborted call', { timeout: 300_000 }, async () => {
    const hang = defineTool({ name: 'hang', description: 'Hang' }, () => new Promise(() => undefined));
    await using server = make({ tools: [hang] });
    await using client = await server.connectInMemory();
    const abort = async (): Promise<void> => {
      const controller = new AbortController();
      const calling = client.callTool('hang', {}, { signal: controller.signal }).catch(() => undefined);
      await sleep(0);
      controller.abort(new Error('enough'));
      await calling;
    };
    for (let index = 0; index < 200; index++) await abort();
    const before = await used();
    for (let index = 0; index < count; index++) await abort();
    expect(((await used()) - before) / count).toBeLessThan(1_024);
  });
});
