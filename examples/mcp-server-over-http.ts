/**
 * A server for other machines: tokens verified on every request, scopes by tool, a limit by caller, a
 * cache, an audit and health. Mount `server.fetch` in any framework that speaks `Request` and `Response`.
 *
 *     npx tsx examples/mcp-server-over-http.ts
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cacheResults, defineTool, MCPServer, type ToolCallRecord } from '@safla/sdk/mcp';
import { MemoryLimiter, TokenService } from '@safla/sdk/security';
import { z } from 'zod';

const tokens = new TokenService({
  keys: [{ id: '2026-11', algorithm: 'HS256', secret: randomBytes(32) }],
  issuer: 'https://login.example.com',
  audience: 'https://mcp.example.com',
});
const input = z.object({ id: z.string() });
const read = defineTool(
  {
    name: 'read_order',
    description: 'Read an order',
    input,
    annotations: { readOnlyHint: true },
    scopes: ['orders:read'],
  },
  ({ id }, { principal }) => ({ id, for: principal?.id }),
);
const cancel = defineTool(
  { name: 'cancel_order', description: 'Cancel an order', input, scopes: ['orders:write'] },
  ({ id }) => `Order ${id} is cancelled`,
);

const log: ToolCallRecord[] = [];
await using server = new MCPServer({
  name: 'orders',
  version: '1.0.0',
  tools: [read, cancel],
  allowedHosts: ['mcp.example.com'],
  authorize: tokens,
  resourceMetadataURL: 'https://mcp.example.com/.well-known/oauth-protected-resource',
  limiter: new MemoryLimiter({ limit: 5, intervalMs: 60_000 }),
  use: [cacheResults({ ttlMs: 60_000 })],
  audit: (record) => log.push(record),
});

async function call(name: string, token?: string): Promise<{ readonly status: number; readonly text: string }> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
  const params = { name, arguments: { id: '7' } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const response = await server.fetch(new Request('https://mcp.example.com/mcp', { method: 'POST', headers, body }));
  return { status: response.status, text: await response.text() };
}

const { accessToken } = await tokens.issue({ sub: 'ada', scope: 'orders:read' });
assert.equal((await call('read_order')).status, 401);
assert.match((await call('read_order', accessToken)).text, /ada/);
assert.match((await call('read_order', accessToken)).text, /ada/);
assert.match((await call('cancel_order', accessToken)).text, /needs the scope 'orders:write'/);
for (let index = 0; index < 2; index++) await call('read_order', accessToken);
assert.equal((await call('read_order', accessToken)).status, 429);

const outcomes = log.map(({ tool, principal, outcome }) => `${principal?.id} ${tool}: ${outcome}`);
assert.deepEqual(new Set(outcomes), new Set(['ada read_order: answered', 'ada cancel_order: failed']));
console.log([...new Set(outcomes)].join('\n'));
console.log(JSON.stringify(server.stats()));
