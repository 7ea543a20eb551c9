import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadMCPConfig, MCPHost } from '@safla/sdk/mcp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let web: Server;
let base = '';

beforeAll(async () => {
  const answers: Record<string, { status: number; type: string; body: string }> = {
    '/none': { status: 404, type: 'text/plain', body: 'not here' },
    '/login': { status: 401, type: 'text/plain', body: '' },
    '/page': { status: 200, type: 'text/html', body: '<html>Welcome</html>' },
    '/api': { status: 200, type: 'application/json', body: '{"hello":1}' },
  };
  web = createServer((request, response) => {
    const { status, type, body } = answers[request.url ?? ''] ?? { status: 500, type: 'text/plain', body: '' };
    response.writeHead(status, { 'content-type': type }).end(body);
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  base = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});
afterAll(() => {
  web.closeAllConnections();
  web.close();
});

const messageOf = async (text: string): Promise<string> => {
  const failure = await (async () => {
    await using host = new MCPHost(await loadMCPConfig(text, { env: {} }));
    await host.connect();
  })().then(
    () => undefined,
    (error: Error) => error,
  );
  return failure?.message ?? 'no error';
};

describe('a mistake in a config is told with what to do', () => {
  it.each([
    ['/none', 'HTTP 404; is this the address of its MCP endpoint?'],
    ['/login', 'HTTP 401: it wants other credentials; they go into `headers`'],
    ['/page', /text\/html\); it did not answer by MCP; is this the address of an MCP endpoint\?$/],
    ['/api', /the first message failed: it did not answer by MCP; is this the address of an MCP endpoint\?$/],
  ])('a url at %s', async (path, expected) => {
    expect(await messageOf(`servers: { s: { url: "${base}${path}" } }\n`)).toMatch(expected);
  });

  it('a url that cannot be fetched at all', async () => {
    expect(await messageOf('servers: { s: { url: "http://127.0.0.1:9/" } }\n')).toMatch(/cannot be reached \(.+\)$/);
  });

  it('arguments inside of the command', async () => {
    const message = await messageOf('servers: { s: { command: "no-such-program server.js" } }\n');
    expect(message).toMatch(/there is no program 'no-such-program server.js'; arguments go into `args`$/);
  });

  it('a command and a url', async () => {
    expect(await messageOf('servers: { s: { command: node, url: "http://x" } }\n')).toContain('keep one of them');
  });
});
