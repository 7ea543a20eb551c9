import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool, MCPHost, type MCPHostEvents, type MCPHostOptions, MCPServer } from '@safla/sdk/mcp';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestartPlan } from '../../src/mcp/host/restart-plan.js';
import { isAlive, scriptServer } from './support/child.js';
import { waitUntil } from './support/wait-until.js';

let folder = '';
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-supervision-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file that a server adds a letter to at each start. */
async function startsFile(): Promise<{ file: string; count: () => Promise<number> }> {
  const file = join(folder, `starts-${++files}`);
  await appendFile(file, '');
  return { file, count: async () => (await readFile(file, 'utf8')).length };
}

interface Script {
  /** Runs first; `starts` is how often the server was started, this time included. */
  readonly first?: string;
  /** Runs once `initialize` was answered. */
  readonly greeted?: string;
  /** Runs for a message that the server does not know. */
  readonly unknown?: string;
}

/** A small server of an older protocol, with the tools `ping`, `crash` and `hang`. */
function server(
  file: string,
  { first = '', greeted = '', unknown = '' }: Script = {},
): { command: string; args: string[] } {
  const { command, args = [] } = scriptServer(`
const fs = require('node:fs');
fs.appendFileSync(${JSON.stringify(file)}, 'x');
const starts = fs.readFileSync(${JSON.stringify(file)}, 'utf8').length;
${first}
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = (rest, then) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...rest }) + '\\n', then);
  const tools = ['ping', 'crash', 'hang'].map((name) => ({ name, inputSchema: { type: 'object' } }));
  if (id === undefined) return;
  if (method === 'initialize') answer({ result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 's', version: '0' } } }, () => { ${greeted} });
  else if (method === 'ping') answer({ result: {} });
  else if (method === 'tools/list') answer({ result: { tools } });
  else if (method === 'tools/call' && params.name === 'crash') process.exit(7);
  else if (method === 'tools/call' && params.name === 'hang') return;
  else if (method === 'tools/call') answer({ result: { content: [{ type: 'text', text: String(starts) }] } });
  else { ${unknown}; answer({ error: { code: -32601, message: 'unknown' } }); }
});`);
  return { command, args: [...args] };
}

function hostOf(config: ReturnType<typeof server>, options: MCPHostOptions = {}): MCPHost {
  return new MCPHost({ servers: { demo: config } }, options);
}

function next<K extends keyof MCPHostEvents>(host: MCPHost, event: K): Promise<MCPHostEvents[K][0]> {
  return new Promise((resolve) => host.once(event, (...args) => resolve(args[0])));
}

async function pidOf(host: MCPHost): Promise<number> {
  const { details = {} } = await host.health();
  return (details.demo as { details: { pid: number } }).details.pid;
}

describe('a process that ends by itself after it was ready', () => {
  it('is started again without being asked for, and answers as before', async () => {
    const { file, count } = await startsFile();
    await using host = hostOf(server(file));
    expect((await host.callTool('ping')).text).toBe('1');
    const again = next(host, 'ready');
    process.kill(await pidOf(host), 'SIGKILL');
    expect(await again).toEqual({ server: 'demo', restarts: 1 });
    expect((await host.callTool('ping')).text).toBe('2');
    expect(await count()).toBe(2);
    expect(await host.health()).toMatchObject({
      status: 'pass',
      details: { demo: { details: { state: 'ready', restarts: 1 } } },
    });
  });

  it('fails the calls that ran, which are not repeated, and lets calls after that wait for it', async () => {
    const { file } = await startsFile();
    await using host = hostOf(server(file), { restart: { baseDelayMs: 200, random: () => 1 } });
    await host.connect();
    const restarting = next(host, 'restarting');
    const hanging = host.callTool('hang');
    hanging.catch(() => undefined);
    await expect(host.callTool('crash')).rejects.toMatchObject({ code: 'CONNECTION' });
    await expect(hanging).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining('exited with code 7'),
    });
    expect(await restarting).toMatchObject({
      server: 'demo',
      delayMs: 200,
      error: { message: expect.stringContaining('exited with code 7') },
    });
    expect(await host.health()).toMatchObject({ status: 'warn', output: expect.stringContaining('is starting') });
    expect((await host.callTool('ping')).text).toBe('2');
  });

  it('stays down after too many ends in a row, says so, and is started by connect', async () => {
    const { file, count } = await startsFile();
    const greeted = 'if (starts < 4) setTimeout(() => process.exit(3), 50)';
    await using host = hostOf(server(file, { greeted }), { restart: { baseDelayMs: 10, maxRestarts: 2 } });
    const down = next(host, 'down');
    await host.connect();
    const { error } = await down;
    expect(error.message).toMatch(
      /exited with code 3.*it ended 3 times in a row and is not started again until connect/,
    );
    expect(await count()).toBe(3);
    await expect(host.callTool('ping')).rejects.toBe(error);
    expect(await host.health()).toMatchObject({ status: 'fail', details: { demo: { details: { state: 'down' } } } });
    await host.connect();
    expect((await host.callTool('ping')).text).toBe('4');
  });

  it('counts starts that fail among the ends', async () => {
    const { file, count } = await startsFile();
    await using host = hostOf(server(file, { first: 'if (starts > 1) process.exit(4)' }), {
      restart: { baseDelayMs: 1, maxRestarts: 3 },
    });
    await host.connect();
    const down = next(host, 'down');
    process.kill(await pidOf(host), 'SIGKILL');
    expect((await down).error.message).toContain('exited with code 4 before it answered');
    expect(await count()).toBe(4);
  });

  it('is greeted at once in the way that worked before', async () => {
    const { file, count } = await startsFile();
    await using host = hostOf(server(file, { unknown: 'process.exit(1)' }));
    await host.connect();
    expect(await count()).toBe(2);
    const again = next(host, 'ready');
    process.kill(await pidOf(host), 'SIGKILL');
    await again;
    expect(await count()).toBe(3);
  });

  it('needs no second consent for the same command', async () => {
    const { file } = await startsFile();
    let asked = 0;
    const consent = (): boolean => ++asked > 0;
    await using host = hostOf(server(file), { consent });
    await host.connect();
    const again = next(host, 'ready');
    process.kill(await pidOf(host), 'SIGKILL');
    await again;
    expect(asked).toBe(1);
  });

  it('is not started again by a host that closes during the pause', async () => {
    const { file, count } = await startsFile();
    const host = hostOf(server(file), { restart: { baseDelayMs: 60_000, maxDelayMs: 60_000, random: () => 1 } });
    await host.connect();
    const restarting = next(host, 'restarting');
    process.kill(await pidOf(host), 'SIGKILL');
    await restarting;
    const waiting = host.callTool('ping');
    waiting.catch(() => undefined);
    await host.close({ timeoutMs: 200 });
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    expect(await count()).toBe(1);
  });

  it('is started again although a listener throws', async () => {
    const { file } = await startsFile();
    await using host = hostOf(server(file));
    host.on('restarting', () => {
      throw new Error('mine');
    });
    await host.connect();
    const again = next(host, 'ready');
    process.kill(await pidOf(host), 'SIGKILL');
    expect(await again).toMatchObject({ restarts: 1 });
  });
});

describe('a process that runs and does not answer', () => {
  it('is ended and started again when signs of life are asked for', async () => {
    const { file } = await startsFile();
    await using host = hostOf(server(file), { healthEveryMs: 250 });
    await host.connect();
    const pid = await pidOf(host);
    const again = next(host, 'ready');
    process.kill(pid, 'SIGSTOP');
    expect((await again).restarts).toBeGreaterThan(0);
    await waitUntil(() => !isAlive(pid), 'the silent one is gone');
    expect(Number((await host.callTool('ping')).text)).toBeGreaterThan(1);
  });
});

describe('a server over HTTP', () => {
  it('is found again after it was away, also when it comes back as another version', async () => {
    const tool = (name: string) => defineTool({ name, description: 'x' }, () => name);
    const first = new MCPServer({ name: 's', version: '1', tools: [tool('old')] });
    const { url, port } = await first.listen();
    await using host = new MCPHost({ servers: { web: { url } } });
    expect((await host.callTool('old')).text).toBe('old');
    await first.close();
    await expect(host.callTool('old')).rejects.toMatchObject({ code: 'CONNECTION' });
    await using second = new MCPServer({ name: 's', version: '2', tools: [tool('new')] });
    await second.listen({ port });
    expect((await host.callTool('new')).text).toBe('new');
    expect(await host.health()).toMatchObject({ status: 'pass', details: { web: { details: { restarts: 1 } } } });
  });

  it('that answers one call badly does not end the others', async () => {
    const hang = defineTool({ name: 'slow', description: 'x', timeoutMs: 60_000 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return 'done';
    });
    await using server = new MCPServer({ name: 's', version: '1', tools: [hang] });
    let failing = false;
    const http = createServer(async (request, response) => {
      if (failing) return void response.writeHead(500).end();
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
      const answer = await server.fetch(
        new Request(`http://127.0.0.1${request.url}`, { method: 'POST', headers, body: Buffer.concat(chunks) }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => http.once('listening', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
    try {
      await using host = new MCPHost({ servers: { web: { url } } });
      await host.connect();
      const slow = host.callTool('slow');
      await new Promise((resolve) => setTimeout(resolve, 100));
      failing = true;
      await expect(host.callTool('slow')).rejects.toMatchObject({ code: 'CONNECTION' });
      expect((await slow).text).toBe('done');
      failing = false;
      expect((await host.callTool('slow')).text).toBe('done');
      expect(await host.health()).toMatchObject({ details: { web: { details: { restarts: 0 } } } });
    } finally {
      http.closeAllConnections();
      http.close();
    }
  });

  it('that is not there fails each call anew', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => probe.once('listening', resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    await using host = new MCPHost({ servers: { web: { url: `http://127.0.0.1:${port}/mcp` } } });
    for (let i = 0; i < 2; i++) await expect(host.listTools()).rejects.toMatchObject({ code: 'CONNECTION' });
    await using server = new MCPServer({ name: 's', version: '1' });
    await server.listen({ port });
    expect(await host.listTools()).toEqual([]);
  });

  it('tells that it offers other tools', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [defineTool({ name: 'one', description: 'x' }, () => 1)],
    });
    const { url } = await server.listen();
    await using host = new MCPHost({ servers: { web: { url } } });
    let told = 0;
    host.on('toolsChanged', () => {
      told += 1;
    });
    expect(await host.listTools()).toHaveLength(1);
    let added = 0;
    await waitUntil(() => {
      if (told === 0 && added < 50) server.addTool(defineTool({ name: `t${++added}`, description: 'x' }, () => 1));
      return told > 0;
    }, 'the change was told');
    expect((await host.listTools()).length).toBe(1 + added);
    await server.close({ timeoutMs: 100 });
  });
});

it('a server over stdio tells that it offers other tools', async () => {
  const { file } = await startsFile();
  const changed = `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`;
  const greeted = `setInterval(() => process.stdout.write('${changed}\\n'), 50)`;
  const config = server(file, { greeted });
  config.args = config.args.map((arg) =>
    arg.replace('capabilities: { tools: {} }', 'capabilities: { tools: { listChanged: true } }'),
  );
  await using host = hostOf(config);
  const told = next(host, 'toolsChanged');
  await host.connect();
  expect(await told).toEqual({ server: 'demo' });
});

describe('the plan of restarts', () => {
  it('draws each pause from 0 to a limit that doubles, and ends a crash loop', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 1, max: 1_000 }),
        (random, maxRestarts, baseDelayMs) => {
          const plan = new RestartPlan({ baseDelayMs, maxDelayMs: 5_000, maxRestarts, random: () => random }, () => 0);
          for (let end = 1; end <= maxRestarts; end++)
            expect(plan.next()).toBeCloseTo(random * Math.min(5_000, baseDelayMs * 2 ** (end - 1)));
          expect(plan.next()).toBeUndefined();
          plan.reset();
          if (maxRestarts > 0) expect(plan.next()).toBeLessThanOrEqual(baseDelayMs);
        },
      ),
    );
  });

  it('forgets ends that are long ago', () => {
    let now = 0;
    const plan = new RestartPlan({ maxRestarts: 1, withinMs: 1_000 }, () => now);
    expect(plan.next()).toBeDefined();
    now = 1_001;
    expect(plan.next()).toBeDefined();
    now = 1_500;
    expect(plan.next()).toBeUndefined();
  });
});

it.each([{ restart: { baseDelay: 1 } }, { restart: true }, { restart: { maxRestarts: -1 } }, { healthEveryMs: 0 }])(
  'a host refuses %o',
  (options) => {
    expect(() => new MCPHost({ servers: { a: { command: 'x' } } }, options as never)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION' }),
    );
  },
);

describe('a server of the transport that Streamable HTTP replaced', () => {
  it('is spoken to when the config says sse', async () => {
    let stream: import('node:http').ServerResponse | undefined;
    const seen: (string | undefined)[] = [];
    const http = createServer(async (request, response) => {
      seen.push(request.headers.authorization);
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write('event: endpoint\ndata: /messages\n\n');
        return;
      }
      let body = '';
      for await (const chunk of request) body += String(chunk);
      response.writeHead(202).end();
      const { id, method } = JSON.parse(body) as { id?: number; method: string };
      const results: Record<string, object> = {
        initialize: {
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
          serverInfo: { name: 'old', version: '1' },
        },
        'tools/list': { tools: [{ name: 'a', inputSchema: { type: 'object' } }] },
        'tools/call': { content: [{ type: 'text', text: 'from sse' }] },
      };
      if (id !== undefined)
        stream?.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: results[method] })}\n\n`);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => http.once('listening', resolve));
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/sse`;
    try {
      await using host = new MCPHost({
        servers: { old: { type: 'sse', url, headers: { Authorization: 'Bearer k' } } },
      });
      expect((await host.listTools()).map(({ name }) => name)).toEqual(['a']);
      expect((await host.callTool('a')).text).toBe('from sse');
      expect(new Set(seen)).toEqual(new Set(['Bearer k']));
    } finally {
      http.closeAllConnections();
      http.close();
    }
  });
});
