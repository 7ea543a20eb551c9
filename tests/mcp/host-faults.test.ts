// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a config are written that way
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTool, loadMCPConfig, MCPHost, MCPServer } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { fixtureServer, scriptServer } from './support/child.js';
import { recordingLogger } from './support/recording-logger.js';
import { waitUntil } from './support/wait-until.js';

/** A server of an older protocol; `onInitialized` runs once it has answered `initialize`. */
const legacyServer = (tools: readonly string[], onInitialized = ''): string => `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  const answer = (result, then) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...result }) + '\\n', then);
  const tools = ${JSON.stringify(tools)}.map((name) => ({ name, inputSchema: { type: 'object' } }));
  if (id === undefined) return;
  if (method === 'initialize') answer({ result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '0' } } }, () => { ${onInitialized} });
  else if (method === 'tools/list') answer({ result: { tools } });
  else if (method === 'tools/call') answer({ result: { content: [{ type: 'text', text: params.name }] } });
  else answer({ error: { code: -32601, message: 'unknown' } });
});`;

async function listening(handler: RequestListener): Promise<{ url: string } & Disposable> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Appends a letter to a file at each start, then does as told. */
async function countedStarts(
  then: string,
): Promise<{ script: string; starts(): Promise<number>; clean(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-starts-'));
  const file = join(folder, 'starts');
  return {
    script: `require('node:fs').appendFileSync(${JSON.stringify(file)}, 's'); ${then}`,
    starts: async () => (await readFile(file, 'utf8')).length,
    clean: () => rm(folder, { recursive: true }),
  };
}

describe('a server that ends', () => {
  it('right after it was greeted, is known to be dead, and is started again by connect', async () => {
    const { script, starts, clean } = await countedStarts(legacyServer(['a'], 'process.exit(3)'));
    await using host = new MCPHost({ servers: { demo: scriptServer(script) } });
    await host.connect().catch(() => undefined);
    await waitUntilDead(host);
    await expect(host.callTool('a')).rejects.toThrow('exited with code 3');
    const before = await starts();
    // A start that was under way already is joined.
    const again = async (): Promise<number> => host.connect().then(starts, starts);
    await expect.poll(again, { timeout: 10_000 }).toBeGreaterThan(before);
    await clean();
  });

  it('during a call, is told in its error with the command and the last words', async () => {
    const crash = `console.error('out of cheese'); process.exit(9);`;
    const script = legacyServer(['a']).replace(
      "answer({ result: { content: [{ type: 'text', text: params.name }] } })",
      `(() => { ${crash} })()`,
    );
    await using host = new MCPHost({ servers: { demo: { ...scriptServer(script), shown: 'node old.js' } } });
    await expect(host.callTool('a')).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringMatching(/node old\.js exited with code 9; it printed last: out of cheese/),
    });
  });

  it('before it answers, is started for one call, and after that only by connect', async () => {
    const { script, starts, clean } = await countedStarts('process.exit(1)');
    let asked = 0;
    const consent = (): boolean => {
      asked += 1;
      return true;
    };
    await using host = new MCPHost({ servers: { demo: scriptServer(script) } }, { consent });
    for (let i = 0; i < 3; i++) await expect(host.callTool('a')).rejects.toMatchObject({ code: 'CONNECTION' });
    expect(await starts()).toBe(2);
    expect(asked).toBe(1);
    await expect(host.connect()).rejects.toMatchObject({ code: 'CONNECTION' });
    expect(await starts()).toBe(4);
    await clean();
  });
});

async function waitUntilDead(host: MCPHost): Promise<void> {
  let status = '';
  await waitUntil(() => {
    host.health().then((health) => {
      status = health.status;
    });
    return status === 'fail';
  }, 'the death is known');
}

describe('a server that floods stdout', () => {
  it('is ended after a bounded number of lines that are not JSON-RPC', async () => {
    const flood = 'const x = "y\\n".repeat(32768); const more = () => process.stdout.write(x, more); more()';
    await using host = new MCPHost({ servers: { demo: scriptServer(flood) } }, { startTimeoutMs: 60_000 });
    const error = (await host.connect().catch((reason: Error) => reason)) as Error & { code?: string };
    expect(error.code).toBe('PROTOCOL');
    expect(Number(/gave (\d+) lines/.exec(error.message)?.[1])).toBeLessThan(11_000);
  });
});

describe('secrets of a config', () => {
  it('are masked wherever they were put, longest first, before anything is cut', async () => {
    const { logger, records } = recordingLogger();
    const long = 'canary-abcdefgh-REST';
    const script = `const [, key] = process.argv; console.error('bad', key, process.env.LONG, process.env.SHORT);
      console.error('x'.repeat(1990) + key + key); process.exit(2)`;
    const text = JSON.stringify({
      servers: {
        s: { command: process.execPath, args: ['-e', script, '${KEY}'], env: { SHORT: '${SHORT}', LONG: '${LONG}' } },
      },
    });
    const env = { KEY: 'supersecret-9911', SHORT: long.slice(0, 15), LONG: long };
    await using host = new MCPHost(await loadMCPConfig(text, { env }), { telemetry: { logger } });
    const error = (await host.connect().catch((reason: Error) => reason)) as Error;
    expect(JSON.stringify(records)).toContain('bad [redacted] [redacted] [redacted]');
    expect(`${error.message}${JSON.stringify(records)}`).not.toMatch(/supers|9911|REST|canary/);
    const missing = await loadMCPConfig('servers:\n  a: { command: "${KEY}" }\n', { env });
    await using other = new MCPHost(missing);
    expect(((await other.connect().catch((reason: Error) => reason)) as Error).message).not.toContain('supersecret');
  });

  it('are masked in what a server answers', async () => {
    const script = legacyServer([]).replace("message: 'unknown'", 'message: "no " + process.env.KEY');
    await using host = new MCPHost({
      servers: { demo: { ...scriptServer(script), env: { KEY: 'supersecret-9911' } } },
    });
    const error = (await host.readResource('demo', 'a:b').catch((reason: Error) => reason)) as Error;
    expect(error.message).toContain('no [redacted]');
  });
});

describe('a session that an HTTP server forgot', () => {
  it('is opened anew without the caller noticing: the call was not looked at, so it is repeated', async () => {
    let session = '';
    let opened = 0;
    using server = await listening((request, response) => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const { id, method } = JSON.parse(body) as { id?: number; method: string };
        const answer = (rest: object, headers = {}): void => {
          response.writeHead(200, { 'content-type': 'application/json', ...headers });
          response.end(JSON.stringify({ jsonrpc: '2.0', id, ...rest }));
        };
        if (method === 'initialize') {
          session = `s${++opened}`;
          const result = { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'f', version: '1' } };
          return answer({ result }, { 'mcp-session-id': session });
        }
        if (method === 'server/discover') return answer({ error: { code: -32601, message: 'no' } });
        if (request.headers['mcp-session-id'] !== session) return void response.writeHead(404).end();
        if (id === undefined) return void response.writeHead(202).end();
        answer({ result: { content: [] } });
      });
    });
    await using host = new MCPHost({ servers: { web: { url: server.url } } });
    await host.callTool('a');
    session = 'restarted';
    expect(await host.callTool('a')).toMatchObject({ isError: false });
    expect(opened).toBe(2);
    expect(await host.health()).toMatchObject({ details: { web: { details: { restarts: 1 } } } });
  });
});

describe('names and lists of several servers', () => {
  it('call the tool that was listed when its own name begins like the prefix', async () => {
    await using host = new MCPHost({ servers: { git: scriptServer(legacyServer(['git__status', 'log'])) } });
    expect((await host.callTool('git__status')).text).toBe('git__status');
    expect((await host.callTool('git__log')).text).toBe('log');
  });

  it.each([
    ['a', 'a__b'],
    ['a__b', 'a'],
    ['a', 'a_'],
  ])('refuse %s beside %s, whose tools could have one name', (first, second) => {
    const servers = { [first]: { command: 'x' }, [second]: { command: 'x' } };
    expect(() => new MCPHost({ servers })).toThrow(/could have the same name/);
    expect(() => new MCPHost({ servers: { a: { command: 'x' }, a_b: { command: 'x' } } })).not.toThrow();
  });

  it('give what there is when one server fails, log the failure, and reject when none works', async () => {
    const { logger, records } = recordingLogger();
    await using one = new MCPServer({
      name: 'one',
      version: '1',
      tools: [defineTool({ name: 'who', description: 'x' }, () => 'one')],
    });
    const bad = { command: 'no-such-program-here' };
    const web = { url: (await one.listen()).url };
    await using host = new MCPHost({ servers: { web, bad } }, { telemetry: { logger } });
    expect((await host.listTools()).map(({ name }) => name)).toEqual(['web__who']);
    expect(JSON.stringify(records)).toContain('no-such-program-here');
    await using none = new MCPHost({ servers: { bad, worse: bad } });
    await expect(none.listTools()).rejects.toThrow(/'bad'[\s\S]*'worse'/);
  });
});

it('bounds a call that has to start the server by callTimeoutMs as well', async () => {
  const options = { callTimeoutMs: 200, startTimeoutMs: 60_000 };
  await using host = new MCPHost({ servers: { demo: scriptServer('setInterval(() => 0, 1000)') } }, options);
  await expect(host.callTool('a')).rejects.toMatchObject({ code: 'TIMEOUT', timeoutMs: 200 });
  await expect(host.listTools()).rejects.toMatchObject({ code: 'TIMEOUT', timeoutMs: 200 });
  await host.close({ timeoutMs: 500 });
});

it('does not end a start that others wait for when the first caller leaves', async () => {
  await using host = new MCPHost({ servers: { demo: fixtureServer('demo-server.ts') } });
  const first = host.callTool('add', { a: 1, b: 1 }, { timeoutMs: 1 });
  const second = host.callTool('add', { a: 1, b: 1 });
  await expect(first).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect((await second).structuredContent).toEqual({ sum: 2 });
});

describe('a config in code', () => {
  const stdio = { command: 'x' };
  const web = { url: 'http://127.0.0.1:1' };
  it.each([
    ['a server that is null', null, 'servers.a'],
    ['an undefined variable', { ...stdio, env: { A: undefined } }, 'servers.a.env.A'],
    ['a NUL in an argument', { ...stdio, args: ['a\0b'] }, 'servers.a.args.0'],
    ['an argument that is a number', { ...stdio, args: ['a', 1] }, 'servers.a.args.1'],
    ['tools that are numbers', { ...stdio, tools: [1] }, 'servers.a.tools.0'],
    ['a header of two lines', { ...web, headers: { A: 'x\ny' } }, 'servers.a.headers.A'],
    ['a header with a wrong name', { ...web, headers: { 'A B': 'x' } }, 'servers.a.headers.A B'],
  ])('with %s is refused by its field', (_, server, field) => {
    expect(() => new MCPHost({ servers: { a: server } } as never)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', field: `MCPConfig.${field}` }),
    );
  });
});
