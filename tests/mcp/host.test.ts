import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ConsentRequest,
  defineTool,
  MCPHost,
  type MCPHostOptions,
  MCPServer,
  type ServerConfig,
} from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { fixture, fixtureServer, isAlive, scriptServer } from './support/child.js';
import { recordingLogger } from './support/recording-logger.js';
import { waitUntil } from './support/wait-until.js';

function host(server: ServerConfig, options: MCPHostOptions = {}): MCPHost {
  return new MCPHost({ servers: { demo: server } }, options);
}

/** The error that starting a server gives. */
async function startError(server: ServerConfig, startTimeoutMs = 20_000): Promise<Error & { code?: string }> {
  await using under = host(server, { startTimeoutMs });
  return under.connect().then(
    () => new Error('it started'),
    (error: Error) => error,
  );
}

async function pidOf(under: MCPHost, server = 'demo'): Promise<number> {
  const { details = {} } = await under.health();
  return (details[server] as { details: { pid: number } }).details.pid;
}

describe('a host of one stdio server', () => {
  it('starts it on first use, speaks the newest protocol and calls its tools by their own names', async () => {
    await using under = host(fixtureServer('demo-server.ts'));
    expect(await under.health()).toMatchObject({ status: 'warn', output: expect.stringContaining('not started') });
    expect((await under.listTools())[0]).toMatchObject({ name: 'add', server: 'demo' });
    expect((await under.callTool('add', { a: 1, b: 2 })).structuredContent).toEqual({ sum: 3 });
    expect((await under.callTool('demo__add', { a: 1, b: 3 })).structuredContent).toEqual({ sum: 4 });
    expect(await under.callTool('fail', { how: 'readable' })).toMatchObject({
      isError: true,
      text: 'you may read this',
    });
    expect(await under.health()).toMatchObject({
      status: 'pass',
      details: { demo: { details: { protocol: '2026-07-28' } } },
    });
  });

  it('gives it only the allow-listed environment and what is configured', async () => {
    process.env.SECRET_OF_THE_HOST = 'canary';
    try {
      await using under = host({ ...fixtureServer('demo-server.ts'), env: { GIVEN: 'yes' } });
      const environment = (await under.callTool('environment')).structuredContent as Record<string, string>;
      expect(environment).toMatchObject({ GIVEN: 'yes', PATH: process.env.PATH });
      expect(environment).not.toHaveProperty('SECRET_OF_THE_HOST');
    } finally {
      delete process.env.SECRET_OF_THE_HOST;
    }
  });

  it('lets nothing of the arguments be read by a shell', async () => {
    const args = [
      '-e',
      'process.stderr.write(process.argv.slice(1).join("|")); process.exit(1)',
      '--',
      '$HOME',
      '; echo no',
      '*',
    ];
    const error = await startError({ command: process.execPath, args });
    expect(error.message).toContain('$HOME|; echo no|*');
  });

  it('routes its stderr to the logger', async () => {
    const { logger, records } = recordingLogger();
    await using under = host(fixtureServer('demo-server.ts'), { telemetry: { logger } });
    await under.callTool('chatty');
    await waitUntil(() => JSON.stringify(records).includes('stray console.log'), 'the line was logged');
  });

  it('presents only the tools the config names', async () => {
    await using under = host({ ...fixtureServer('demo-server.ts'), tools: ['add'] });
    expect((await under.listTools()).map(({ name }) => name)).toEqual(['add']);
    await expect(under.callTool('crash')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('asks for consent with the exact command, and starts nothing without it', async () => {
    const asked: ConsentRequest[] = [];
    const consent = (request: ConsentRequest): boolean => {
      asked.push(request);
      return false;
    };
    await using under = host({ ...fixtureServer('demo-server.ts'), env: { KEY: 'secret' } }, { consent });
    await expect(under.listTools()).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    expect(asked).toEqual([
      { server: 'demo', command: [process.execPath, ...fixture('demo-server.ts')], env: ['KEY'] },
    ]);
  });
});

describe('ending servers', () => {
  it('leaves no process, also of those the server started', async () => {
    const under = host(fixtureServer('grandchild-server.ts'));
    const grandchild = Number((await under.callTool('spawn')).text);
    const child = await pidOf(under);
    expect([isAlive(child), isAlive(grandchild)]).toEqual([true, true]);
    await under.close();
    await waitUntil(() => !isAlive(child) && !isAlive(grandchild), 'both are gone');
  });

  it('ends a server that minds neither its stdin nor SIGTERM, within the time', async () => {
    const under = host(fixtureServer('stubborn-server.ts'));
    await under.connect();
    const child = await pidOf(under);
    const start = performance.now();
    await under.close({ timeoutMs: 1_500 });
    expect(performance.now() - start).toBeLessThan(5_000);
    await waitUntil(() => !isAlive(child), 'it is gone');
  });

  it('ends one that is still starting', async () => {
    const { logger, records } = recordingLogger();
    const under = host(scriptServer('console.error(process.pid); setInterval(() => 0, 1000)'), {
      telemetry: { logger },
    });
    const starting = under.connect();
    starting.catch(() => undefined);
    await waitUntil(() => records.length > 0, 'it runs');
    const pid = Number((records.at(0) as { facts: { stderr?: string } }).facts.stderr);
    await under.close({ timeoutMs: 1_000 });
    await expect(starting).rejects.toMatchObject({ code: 'CLOSED' });
    await waitUntil(() => !isAlive(pid), 'it is gone');
  });
});

describe('a server that cannot be used', () => {
  it('because there is no such program, is named', async () => {
    // With folders on PATH that may not be searched, the system says EACCES instead.
    const error = await startError({ command: 'no-such-program-here', env: { PATH: '/usr/bin:/bin' } });
    expect(error).toMatchObject({ code: 'CONNECTION', systemCode: 'ENOENT' });
    expect(error.message).toBe("MCP server 'demo' cannot be started: there is no program 'no-such-program-here'");
    const elsewhere = await startError({ ...fixtureServer('demo-server.ts'), cwd: '/no/such/directory' });
    expect(elsewhere.message).toContain("there is no directory '/no/such/directory'");
  });

  it('because it dies at start, is named with its command and last words, secrets masked', async () => {
    const error = await startError({
      ...scriptServer('console.error("token=abc123secret", process.env.DATABASE, "no database"); process.exit(3)'),
      env: { DATABASE: 'correct horse battery' },
    });
    expect(error.code).toBe('CONNECTION');
    expect(error.message).toContain("MCP server 'demo'");
    expect(error.message).toContain('exited with code 3 before it answered');
    expect(error.message).toContain('no database');
    expect(error.message).not.toMatch(/abc123secret|battery/);
  });

  it('because it prints garbage, is told by what it did', async () => {
    const error = await startError(scriptServer('setInterval(() => console.log("Listening on port 3000"), 20)'), 1_000);
    expect(error.code).toBe('PROTOCOL');
    expect(error.message).toMatch(/gave \d+ lines on stdout that are not JSON-RPC, and no answer/);
  });

  it('because it never answers, gives a TimeoutError that names it', async () => {
    const error = await startError(scriptServer('console.error("warming up"); setInterval(() => 0, 1000)'), 1_000);
    expect(error.code).toBe('TIMEOUT');
    expect(error.message).toMatch(/MCP server 'demo'.*it printed last: warming up.*did not finish within 1000 ms/);
  });

  it('because it floods stderr, still works: memory and messages stay bounded', async () => {
    const { logger, records } = recordingLogger();
    await using under = host(fixtureServer('flooding-server.ts'), { telemetry: { logger }, restart: false });
    expect((await under.callTool('flood')).text).toBe('flooded');
    await expect(under.callTool('end')).rejects.toMatchObject({ code: 'CONNECTION' });
    const error = (await under.callTool('flood').catch((reason: Error) => reason)) as Error;
    expect(error.message.length).toBeLessThan(3_000);
    expect(Math.max(...records.map(({ facts }) => JSON.stringify(facts).length))).toBeLessThan(3_000);
  });

  it('is used after a banner on stdout', async () => {
    await using under = host(fixtureServer('banner-server.ts'));
    expect((await under.callTool('ping')).text).toBe('pong');
  });

  it('is started once more, the old way, when it ends at a first message it does not know', async () => {
    await using under = host(scriptServer(oldServer));
    expect(await under.listTools()).toMatchObject([{ name: 'old' }]);
    expect(await under.health()).toMatchObject({
      status: 'pass',
      details: { demo: { details: { protocol: '2025-06-18' } } },
    });
  });

  it('because arguments exceed what stdio carries, fails the call and does not hang', async () => {
    await using under = host(fixtureServer('demo-server.ts'));
    const medium = await under.callTool('add', { a: 1, b: 1, more: 'x'.repeat(5_000_000) });
    expect(medium.structuredContent).toEqual({ sum: 2 });
    await expect(under.callTool('add', { a: 1, b: 1, more: 'x'.repeat(11_000_000) })).rejects.toMatchObject({
      code: 'CONNECTION',
    });
  });

  it('because its answer never ends, is stopped', async () => {
    const endless = 'const x = "x".repeat(1e6); const more = () => process.stdout.write(x, more); more()';
    const error = await startError(scriptServer(endless));
    expect(error).toMatchObject({ code: 'PROTOCOL' });
  });

  it('because it died later and is not to be started again, gives a ConnectionError until it is connected', async () => {
    await using under = host(fixtureServer('demo-server.ts'), { restart: false });
    await expect(under.callTool('crash')).rejects.toMatchObject({ code: 'CONNECTION' });
    await expect(under.callTool('add', { a: 1, b: 1 })).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining('exited with code 7'),
    });
    expect(await under.health()).toMatchObject({
      status: 'fail',
      output: expect.stringContaining('exited with code 7'),
    });
    await under.connect();
    expect((await under.callTool('add', { a: 1, b: 1 })).structuredContent).toEqual({ sum: 2 });
  });
});

/** A server of the kind that ends when it is greeted by anything but `initialize`. */
const oldServer = `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  const answer = (result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
  if (method === 'initialize') answer({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '0' } });
  else if (method === 'tools/list') answer({ tools: [{ name: 'old', inputSchema: { type: 'object' } }] });
  else if (method === 'ping') answer({});
  else if (method !== 'notifications/initialized') process.exit(1);
});`;

describe('calls', () => {
  const hang = defineTool({ name: 'hang', description: 'Hang' }, () => new Promise(() => undefined));

  it('end by their own time and by the signal, with its reason', async () => {
    await using server = new MCPServer({ name: 's', version: '1', tools: [hang] });
    const { url } = await server.listen();
    await using under = new MCPHost({ servers: { web: { type: 'http', url } } });
    await expect(under.callTool('hang', {}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    const abort = new AbortController();
    const call = under.callTool('hang', {}, { signal: abort.signal });
    setTimeout(() => abort.abort('the user left'), 20);
    await expect(call).rejects.toBe('the user left');
    await server.close({ timeoutMs: 100 });
  });

  it('to a server that is not there say so', async () => {
    await using server = new MCPServer({ name: 's', version: '1' });
    const { url } = await server.listen();
    await server.close();
    await using under = new MCPHost({ servers: { web: { type: 'http', url } } });
    await expect(under.listTools()).rejects.toMatchObject({
      code: 'CONNECTION',
      message: expect.stringContaining("'web'"),
    });
  });

  it('to an HTTP server that never answers end by the start time', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/mcp`;
    try {
      await using under = new MCPHost({ servers: { web: { type: 'http', url } } }, { startTimeoutMs: 300 });
      await expect(under.connect()).rejects.toMatchObject({ code: 'TIMEOUT' });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it('carry the configured headers', async () => {
    let seen: string | undefined;
    const gate = createServer((request, response) => {
      seen = request.headers.authorization;
      response.writeHead(401).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => gate.once('listening', resolve));
    const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/mcp`;
    try {
      await using under = new MCPHost({
        servers: { web: { type: 'http', url, headers: { Authorization: 'Bearer key-canary' } } },
      });
      const error = await under.connect().catch((reason: Error) => reason);
      expect(error).toMatchObject({ code: 'CONNECTION', message: expect.stringContaining('401') });
      expect(JSON.stringify(error)).not.toContain('key-canary');
      expect(seen).toBe('Bearer key-canary');
    } finally {
      gate.closeAllConnections();
      gate.close();
    }
  });
});

describe('a host of several servers', () => {
  it('prefixes tools by server and finds them by that name', async () => {
    await using one = new MCPServer({
      name: 'one',
      version: '1',
      tools: [defineTool({ name: 'who', description: 'x' }, () => 'one')],
    });
    await using two = new MCPServer({
      name: 'two',
      version: '1',
      tools: [defineTool({ name: 'who', description: 'x' }, () => 'two')],
    });
    two.addResource('memo://a', { name: 'A', content: 'of two' });
    const servers = {
      first: { type: 'http' as const, url: (await one.listen()).url },
      'the 2nd': { type: 'http' as const, url: (await two.listen()).url },
    };
    await using under = new MCPHost({ servers });
    expect((await under.listTools()).map(({ name }) => name)).toEqual(['first__who', 'the_2nd__who']);
    expect((await under.callTool('the_2nd__who')).text).toBe('two');
    expect(await under.listResources()).toMatchObject([{ uri: 'memo://a', server: 'the 2nd' }]);
    expect(await under.readResource('the 2nd', 'memo://a')).toMatchObject([{ text: 'of two' }]);
    await expect(under.callTool('who')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.callTool('frist__who')).rejects.toThrow(/did you mean 'first'/);
    await expect(under.readResource('third', 'memo://a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('keeps those that work when another one cannot start', async () => {
    await using one = new MCPServer({
      name: 'one',
      version: '1',
      tools: [defineTool({ name: 'who', description: 'x' }, () => 'one')],
    });
    const { url } = await one.listen();
    await using under = new MCPHost({
      servers: { web: { type: 'http', url }, bad: { command: 'no-such-program-here' } },
    });
    await expect(under.connect()).rejects.toThrow(/'bad'/);
    expect((await under.callTool('web__who')).text).toBe('one');
  });

  it.each([
    ['no servers', { servers: {} }, /names no server/],
    ['an unknown key', { servers: { a: { comand: 'x' } } }, /did you mean 'command'/],
    ['a URL that is none', { servers: { a: { type: 'http', url: 'x' } } }, /url must be an absolute URL/],
    ['two names with one prefix', { servers: { 'a b': { command: 'x' }, a_b: { command: 'x' } } }, /'a b' and 'a_b'/],
  ])('refuses a config with %s', (_, config, message) => {
    expect(() => new MCPHost(config as never)).toThrow(message);
  });
});
