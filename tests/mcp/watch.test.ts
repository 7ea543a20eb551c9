import { ClosedError, UnsupportedError } from '@safla/sdk/core';
import { defineTool, type MCPChange, MCPHost, MCPServer, type MCPWatch } from '@safla/sdk/mcp';
import { afterEach, describe, expect, it } from 'vitest';
import { fixtureServer, scriptServer } from './support/child.js';
import { waitUntil } from './support/wait-until.js';

const open: AsyncDisposable[] = [];
const kept = <T extends AsyncDisposable>(owner: T): T => {
  open.push(owner);
  return owner;
};
afterEach(async () => {
  for (const owner of open.splice(0).reverse()) await owner[Symbol.asyncDispose]();
});

const notes = (): MCPServer =>
  kept(
    new MCPServer({ name: 'notes', version: '1', limiter: false })
      .addResource('notes://a', { name: 'A', content: 'a' })
      .addResource('notes://b', { name: 'B', content: 'b' })
      .addTool(defineTool({ name: 't', description: 'T' }, () => 'x'))
      .addPrompt({ name: 'p', description: 'P', handler: () => 'x' } as never),
  );

/** Sends a host's requests as a client before 2026-07-28 would: the server does not know `server/discover`. */
async function listen(server: MCPServer, port = 0): Promise<{ url: string; port: number }> {
  return server.listen({ port });
}

async function take(watch: MCPWatch, count: number): Promise<MCPChange[]> {
  const changes: MCPChange[] = [];
  for await (const change of watch) {
    changes.push(change);
    if (changes.length === count) break;
  }
  return changes;
}

const a = { kind: 'resource', uri: 'notes://a' } as const;
const tools = { kind: 'list', list: 'tools' } as const;

describe('a watch of a connection in memory', () => {
  it('gives what changed to a loop, each change once until it is taken', async () => {
    const server = notes();
    const client = kept(await server.connectInMemory());
    const watch = kept(await client.watch({ resources: ['notes://a'], lists: ['tools'] }));
    for (let times = 0; times < 50; times++) server.resourceUpdated('notes://a').resourceUpdated('notes://b');
    server.removeTool('t');
    const changes = await take(watch, 2);
    expect(changes.map(({ kind }) => kind).sort()).toEqual(['list', 'resource']);
    expect(changes).toContainEqual(a);
    expect(changes).toContainEqual(tools);
  });

  it('gives them to a listener, whose failure disturbs nothing', async () => {
    const server = notes();
    const client = kept(await server.connectInMemory());
    const heard: MCPChange[] = [];
    const onChange = (change: MCPChange): void => {
      heard.push(change);
      throw new Error('listener');
    };
    kept(await client.watch({ lists: ['tools', 'resources', 'prompts'] }, { onChange }));
    server.removeTool('t');
    server.removeResource('notes://b');
    await waitUntil(() => heard.length >= 2, 'both were told');
    expect(heard).toEqual([tools, { kind: 'list', list: 'resources' }]);
  });

  it('ends its loop when it is closed, and tells nothing after that', async () => {
    const server = notes();
    const client = kept(await server.connectInMemory());
    const watch = await client.watch({ resources: ['notes://a'] });
    const taken = take(watch, 1);
    await watch.close();
    await watch.close();
    server.resourceUpdated('notes://a');
    expect(await taken).toEqual([]);
  });

  it('rejects its loop with the reason of its signal', async () => {
    const client = kept(await notes().connectInMemory());
    const abort = new AbortController();
    const taken = take(await client.watch({ resources: ['notes://a'] }, { signal: abort.signal }), 1);
    abort.abort(new Error('enough'));
    await expect(taken).rejects.toThrow('enough');
  });

  it('rejects its loop when the client is closed', async () => {
    const client = await notes().connectInMemory();
    const taken = take(await client.watch({ resources: ['notes://a'] }), 1);
    taken.catch(() => undefined);
    await client.close();
    await expect(taken).rejects.toThrow(ClosedError);
  });

  it('is refused when nothing or something unknown is named', async () => {
    const client = kept(await notes().connectInMemory());
    await expect(client.watch({})).rejects.toThrow('name the resources or lists to watch');
    await expect(client.watch({ lists: ['tool'] as never })).rejects.toThrow('watch.lists.0');
    await expect(client.watch({ resource: ['x'] } as never)).rejects.toThrow("did you mean 'resources'");
  });
});

describe('a watch over HTTP', () => {
  it('subscribes again after the server went away and came back, and tells all as changed', async () => {
    const first = new MCPServer({ name: 'notes', version: '1' }).addResource('notes://a', { name: 'A', content: 'a' });
    const { url, port } = await listen(first);
    const host = kept(new MCPHost({ servers: { notes: { url } } }));
    const watch = kept(await host.watch('notes', { resources: ['notes://a'] }));
    first.resourceUpdated('notes://a');
    expect(await take(watch, 1)).toEqual([a]);
    await first.close({ timeoutMs: 50 });
    const second = notes();
    await listen(second, port);
    expect(await take(watch, 1)).toEqual([a]);
    second.resourceUpdated('notes://a');
    expect(await take(watch, 1)).toEqual([a]);
  });

  it('rejects its loop when the host is closed', async () => {
    const { url } = await listen(notes());
    const host = new MCPHost({ servers: { notes: { url } } });
    const taken = take(await host.watch('notes', { resources: ['notes://a'] }), 1);
    taken.catch(() => undefined);
    await host.close();
    await expect(taken).rejects.toThrow(ClosedError);
  });
});

describe('a watch over stdio', () => {
  it('subscribes again after the process was killed', async () => {
    const host = kept(new MCPHost({ servers: { notes: fixtureServer('notes-server.ts') } }));
    const watch = kept(await host.watch('notes', { resources: ['notes://a'] }));
    await host.callTool('touch');
    expect(await take(watch, 1)).toEqual([a]);
    const { details = {} } = await host.health();
    process.kill((details.notes as { details: { pid: number } }).details.pid, 'SIGKILL');
    expect(await take(watch, 1)).toEqual([a]);
    await host.callTool('touch');
    expect(await take(watch, 1)).toEqual([a]);
  });

  it('subscribes by the requests of protocols before 2026-07-28, and unsubscribes', async () => {
    const asked: string[] = [];
    const host = kept(
      new MCPHost({ servers: { old: scriptServer(olderServer) } }, { telemetry: { logger: logTo(asked) } }),
    );
    const watch = await host.watch('old', { resources: ['notes://a'], lists: ['tools'] });
    expect(await take(watch, 2)).toEqual([a, tools]);
    await watch.close();
    await waitUntil(() => asked.includes('resources/unsubscribe'), 'it unsubscribed');
    await expect(host.watch('old', { lists: ['prompts'] })).rejects.toThrow(UnsupportedError);
  });
});

/** A server of 2025-06-18 that prints what it is asked, and tells of changes once it is subscribed to. */
const olderServer = `
  const say = (message) => console.log(JSON.stringify({ jsonrpc: '2.0', ...message }));
  require('readline').createInterface(process.stdin).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    console.error(method);
    if (method === 'initialize') say({ id, result: { protocolVersion: '2025-06-18', serverInfo: { name: 'old', version: '1' },
      capabilities: { tools: { listChanged: true }, resources: { subscribe: true } } } });
    else if (method === 'resources/subscribe') {
      say({ id, result: {} });
      say({ method: 'notifications/resources/updated', params: { uri: params.uri } });
      say({ method: 'notifications/tools/list_changed' });
    } else if (method === 'resources/unsubscribe') say({ id, result: {} });
    else if (id !== undefined) say({ id, error: { code: -32601, message: 'no such method' } });
  });
`;

function logTo(lines: string[]) {
  const log = (facts: object): void => {
    const { stderr } = facts as { stderr?: string };
    if (stderr !== undefined) lines.push(stderr);
  };
  return { debug: log, info: log, warn: log, error: log };
}
