/**
 * How long an `MCPHost` takes from the death of a server to the answer of a call after it, with the pause of
 * the default restart; and how long a cancelled tool call takes until the work below has ended: the HTTP
 * request as its server sees it, the SQL statement as PostgreSQL lists it, the task as its agent sees it.
 *
 *     npx tsx bench/mcp-host.bench.ts
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Agent, AgentPool, type TaskContext } from '@safla/sdk/agents';
import { APIIntegration } from '@safla/sdk/api';
import { PostgresDatabase } from '@safla/sdk/database';
import { agentTools, apiTools, databaseTools, MCPHost, MCPServer, type Tool } from '@safla/sdk/mcp';
import { TestContainer } from '@safla/sdk/testing';
import { version } from './support/version.js';

const rounds = Number(process.env.BENCH_ROUNDS ?? 40);

function at(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}

function row(name: string, values: readonly number[]): Record<string, string | number> {
  return { name, 'p50 ms': at(values, 0.5), 'p95 ms': at(values, 0.95), 'max ms': at(values, 1), n: values.length };
}

async function crashToReady(file: string): Promise<number[]> {
  const args = [fileURLToPath(new URL(`./support/${file}`, import.meta.url))];
  await using host = new MCPHost(
    { servers: { demo: { command: process.execPath, args } } },
    // Each one is the first end in a while, as after a run of more than a minute: the pause is 0 to 100 ms.
    { restart: { withinMs: 1 } },
  );
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await host.callTool('ping');
    const { details = {} } = await host.health();
    const { pid } = (details.demo as { details: { pid: number } }).details;
    const again = once(host, 'ready');
    const start = performance.now();
    process.kill(pid, 'SIGKILL');
    await again;
    await host.callTool('ping');
    times.push(performance.now() - start);
  }
  return times;
}

async function cancelToEnd(tool: Tool, args: object, began: () => Promise<unknown>, ended: () => Promise<unknown>) {
  await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
  await using client = await server.connectInMemory();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const abort = new AbortController();
    const starting = began();
    const call = client.callTool(tool.name, { ...args }, { signal: abort.signal });
    call.catch(() => undefined);
    await starting;
    const ending = ended();
    const start = performance.now();
    abort.abort(new Error('enough'));
    await Promise.all([ending, call.catch(() => undefined)]);
    times.push(performance.now() - start);
  }
  return times;
}

const only = (tools: readonly Tool[], name: string): Tool => tools.find((tool) => tool.name === name) as Tool;

async function overHTTP(): Promise<number[]> {
  const http = createServer((_, response) => {
    http.emit('began');
    response.on('close', () => http.emit('ended'));
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  await using api = new APIIntegration({ baseURL: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
  const openapi = { openapi: '3.1.0', paths: { '/slow': { get: { operationId: 'slow' } } } };
  try {
    return await cancelToEnd(
      only(apiTools(api, { openapi }), 'slow'),
      {},
      () => once(http, 'began'),
      () => once(http, 'ended'),
    );
  } finally {
    http.closeAllConnections();
    http.close();
  }
}

async function overSQL(): Promise<number[]> {
  await using services = await TestContainer.start({ postgres: true });
  await using db = new PostgresDatabase({ url: services.postgres.url });
  await using watcher = new PostgresDatabase({ url: services.postgres.url });
  const runs = async (wanted: boolean): Promise<void> => {
    const active =
      "select 1 from pg_stat_activity where state = 'active' and query like '%a_marked_sleep%' and pid <> pg_backend_pid()";
    while ((await watcher.query(active)).length > 0 !== wanted);
  };
  const sql = 'select pg_sleep(600) as a_marked_sleep';
  return await cancelToEnd(
    only(databaseTools(db), 'database_query'),
    { sql },
    () => runs(true),
    () => runs(false),
  );
}

async function overAgents(): Promise<number[]> {
  const tell = new EventTarget();
  const told = (name: string): Promise<unknown> =>
    new Promise((resolve) => tell.addEventListener(name, resolve, { once: true }));
  class Slow extends Agent {
    constructor() {
      super('slow', { capabilities: [] });
    }
    override canHandle(): boolean {
      return true;
    }
    override async execute(_: unknown, context?: TaskContext): Promise<string> {
      tell.dispatchEvent(new Event('began'));
      await new Promise((resolve) => context?.signal.addEventListener('abort', resolve, { once: true }));
      tell.dispatchEvent(new Event('ended'));
      return 'ended';
    }
  }
  await using pool = new AgentPool([new Slow()]);
  return await cancelToEnd(
    only(agentTools(pool), 'agent_run'),
    { type: 't' },
    () => told('began'),
    () => told('ended'),
  );
}

// The pause before a restart keeps no process alive.
const alive = setInterval(() => undefined, 60_000);

console.log(`node ${process.versions.node}, @modelcontextprotocol/server ${version('@modelcontextprotocol/server')}`);
console.log('\nFrom SIGKILL to the answer of the next call');
console.table([
  row('a bare server of 2025-06-18', await crashToReady('mcp-bare-server.mjs')),
  row('a server by the official package', await crashToReady('mcp-sdk-server.mjs')),
]);
console.log('From cancelling a tool call to the end of the work below');
console.table([
  row('HTTP request', await overHTTP()),
  row('SQL statement', await overSQL()),
  row('agent task', await overAgents()),
]);
clearInterval(alive);
