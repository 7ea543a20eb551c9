import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { defineTool, type MCPEventStore, MCPServer, type MCPServerOptions } from '@safla/sdk/mcp';
import { FaultProxy } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../src/mcp/server/memory-event-store.js';
import { waitUntil } from './support/wait-until.js';

/** A tool that answers when it is let go, and tells progress before. */
function gate(): {
  readonly server: (options?: Partial<MCPServerOptions>) => MCPServer;
  readonly open: () => void;
  readonly runs: () => number;
  readonly aborted: () => boolean;
} {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let runs = 0;
  let aborted = false;
  const tool = defineTool({ name: 'gate', description: 'Waits' }, async (_, context) => {
    runs += 1;
    context.signal.addEventListener('abort', () => {
      aborted = true;
    });
    await context.progress(1, 2);
    await opened;
    await context.progress(2, 2);
    return 'through';
  });
  return {
    server: (options) => new MCPServer({ name: 's', version: '1', tools: [tool], limiter: false, ...options }),
    open: () => open(),
    runs: () => runs,
    aborted: () => aborted,
  };
}

const headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
};

function post(server: MCPServer, body: object, session?: string, principal?: string): Promise<Response> {
  const request = new Request('http://localhost/mcp', {
    method: 'POST',
    headers: { ...headers, ...(session ? { 'mcp-session-id': session } : {}) },
    body: JSON.stringify({ jsonrpc: '2.0', ...body }),
  });
  return server.fetch(request, principal ? { principal: { id: principal } } : {});
}

function resume(server: MCPServer, session: string, lastEventId: string, principal?: string): Promise<Response> {
  const request = new Request('http://localhost/mcp', {
    headers: { ...headers, 'mcp-session-id': session, 'last-event-id': lastEventId },
  });
  return server.fetch(request, principal ? { principal: { id: principal } } : {});
}

async function open(server: MCPServer, principal?: string): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } };
  const response = await post(server, { id: 0, method: 'initialize', params }, undefined, principal);
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

/** Begins a call of the gate and cuts its connection after the first event. */
async function cutCall(server: MCPServer, session: string, principal?: string): Promise<string> {
  const call = { id: 1, method: 'tools/call', params: { name: 'gate', arguments: {} } };
  const response = await post(server, call, session, principal);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return /^id: (.*)$/m.exec(new TextDecoder().decode(value))?.[1] ?? '';
}

describe('a client before 2026-07-28 whose connection is cut during a call', () => {
  it('gets the answer when it comes back, without the tool running again', { timeout: 60_000 }, async () => {
    const { server, open: go, runs, aborted } = gate();
    await using serving = server();
    const { url } = await serving.listen();
    await using proxy = await FaultProxy.start({ target: url });
    const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode: 'legacy' } });
    const transport = new StreamableHTTPClientTransport(new URL(proxy.url), {
      reconnectionOptions: {
        initialReconnectionDelay: 20,
        maxReconnectionDelay: 200,
        reconnectionDelayGrowFactor: 1.5,
        maxRetries: 50,
      },
    });
    await client.connect(transport);
    const told: number[] = [];
    const answer = client.callTool({ name: 'gate' }, { onprogress: ({ progress }) => void told.push(progress) });
    await waitUntil(() => told.length === 1, 'the call runs and its stream is open');
    proxy.cut();
    go();
    expect((await answer).content).toEqual([{ type: 'text', text: 'through' }]);
    expect(told).toEqual([1, 2]);
    expect([runs(), aborted()]).toEqual([1, false]);
    await client.close();
  });

  it('gets what was sent while it was away, in its order, and the rest as it comes', async () => {
    const { server, open: go } = gate();
    await using serving = server();
    const session = await open(serving);
    const last = await cutCall(serving, session);
    expect(last).not.toBe('');
    const resumed = await resume(serving, session, last);
    expect(resumed.status).toBe(200);
    go();
    const text = await resumed.text();
    expect(text).toContain('"text":"through"');
    expect(text).toMatch(/^id: \S+$/m);
  });

  it('gets an answer that came in its absence, however many others were busy meanwhile', async () => {
    const { server, open: go } = gate();
    await using serving = server();
    const session = await open(serving);
    const last = await cutCall(serving, session);
    const others: string[] = [];
    // More than stay awake: only idle ones are put to sleep.
    for (let count = 0; count < 100; count++) others.push(await open(serving));
    go();
    await waitUntil(() => (serving.stats().gate?.calls ?? 0) === 1, 'the call has ended');
    for (let count = 0; count < 100; count++) others.push(await open(serving));
    const text = await (await resume(serving, session, last)).text();
    expect(text).toContain('"text":"through"');
  });

  it('gets nothing of another session, or of an event that is not known', async () => {
    const { server, open: go } = gate();
    await using serving = server();
    const [ann, bob] = [await open(serving, 'ann'), await open(serving, 'bob')];
    const last = await cutCall(serving, ann, 'ann');
    go();
    expect((await resume(serving, bob, last, 'bob')).status).toBe(400);
    expect((await resume(serving, ann, last, 'bob')).status).toBe(404);
    expect((await resume(serving, ann, 'never-1', 'ann')).status).toBe(400);
    expect(await (await resume(serving, ann, last, 'ann')).text()).toContain('through');
  });

  it('is served from a store of the host’s own', async () => {
    const { server, open: go } = gate();
    const inner = new MemoryEventStore();
    const streams = new Set<string>();
    const store: MCPEventStore = {
      storeEvent: async (stream, message) => {
        streams.add(stream);
        return inner.storeEvent(stream, message);
      },
      getStreamIdForEventId: async (id) => inner.getStreamIdForEventId(id),
      replayEventsAfter: (id, to) => inner.replayEventsAfter(id, to),
    };
    await using serving = server({ sessions: { events: store } });
    const session = await open(serving);
    const last = await cutCall(serving, session);
    go();
    expect(await (await resume(serving, session, last)).text()).toContain('through');
    expect([...streams].every((stream) => stream.startsWith(`${session}/`))).toBe(true);
  });

  it('is told nothing it could come back with when nothing is kept', async () => {
    const { server } = gate();
    await using serving = server({ sessions: { events: false } });
    const session = await open(serving);
    const tools = await (await post(serving, { id: 1, method: 'tools/list' }, session)).text();
    expect(tools).toContain('"name":"gate"');
    expect(tools).not.toMatch(/^id:/m);
  });

  it.each([
    [{ maxBytes: 0 }, 'events.maxBytes'],
    [{ maxBites: 1 }, 'maxBites is not an option'],
    [{ storeEvent: () => '' }, 'getStreamIdForEventId() and replayEventsAfter()'],
    ['memory', 'events'],
  ])('settings that are none are refused: %j', (events, message) => {
    expect(() => gate().server({ sessions: { events: events as never } })).toThrow(message);
  });
});

describe('events in memory', () => {
  it('make room by bytes, the oldest first, and go after their time', async () => {
    const store = new MemoryEventStore({ maxBytes: 10_000 });
    const ids = Array.from({ length: 50 }, (_, index) => store.storeEvent(`s${index % 3}`, { text: 'x'.repeat(500) }));
    expect(store.getStreamIdForEventId(ids[0] ?? '')).toBeUndefined();
    const kept = ids.filter((id) => store.getStreamIdForEventId(id) !== undefined);
    expect(kept).toEqual(ids.slice(-kept.length));
    expect(kept.length).toBeGreaterThan(5);
    const brief = new MemoryEventStore({ ttlMs: 1 });
    const id = brief.storeEvent('s', {});
    await waitUntil(() => brief.getStreamIdForEventId(id) === undefined, 'the event is too old');
  });

  it('are replayed by stream, from the one after the last', async () => {
    const store = new MemoryEventStore();
    const [first = ''] = [1, 2, 3].map((n) => store.storeEvent('a', { n }));
    store.storeEvent('b', { n: 4 });
    const sent: unknown[] = [];
    const to = { send: async (_: string, message: object) => void sent.push(message) };
    expect(await store.replayEventsAfter(first, to)).toBe('a');
    expect(sent).toEqual([{ n: 2 }, { n: 3 }]);
  });
});
