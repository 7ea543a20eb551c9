import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, AgentPool, type TaskContext } from '@safla/sdk/agents';
import { APIIntegration } from '@safla/sdk/api';
import { PostgresDatabase } from '@safla/sdk/database';
import { GraphQLIntegration } from '@safla/sdk/graphql';
import { agentTools, apiTools, databaseTools, graphqlTools, MCPServer, type Tool } from '@safla/sdk/mcp';
import { TestContainer } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from './support/wait-until.js';

/** Calls a tool, cancels the call once its work began, and resolves when the work has ended. */
async function cancelled(tool: Tool, args: object, began: () => boolean, ended: () => boolean): Promise<number> {
  await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
  await using client = await server.connectInMemory();
  const abort = new AbortController();
  const call = client.callTool(tool.name, { ...args }, { signal: abort.signal });
  call.catch(() => undefined);
  await waitUntil(began, 'the work began');
  const start = performance.now();
  abort.abort(new Error('enough'));
  await expect(call).rejects.toThrow('enough');
  await waitUntil(ended, 'the work ended');
  return performance.now() - start;
}

const named = (tools: readonly Tool[], name: string): Tool => {
  const tool = tools.find((one) => one.name === name);
  if (!tool) throw new Error(`There is no tool ${name}`);
  return tool;
};

describe('cancelling a tool call', () => {
  const state = { requests: 0, closed: 0 };
  const http = createServer((_, response) => {
    state.requests += 1;
    response.on('close', () => {
      state.closed += 1;
    });
  });
  let origin = '';
  let services: TestContainer;

  beforeAll(async () => {
    http.listen(0, '127.0.0.1');
    await new Promise((resolve) => http.once('listening', resolve));
    origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    services = await TestContainer.start({ postgres: true });
  }, 120_000);
  afterAll(async () => {
    http.closeAllConnections();
    http.close();
    await services.stop();
  });

  it('ends the HTTP request of an OpenAPI operation', async () => {
    await using api = new APIIntegration({ baseURL: origin });
    const openapi = { openapi: '3.1.0', paths: { '/slow': { get: { operationId: 'slow' } } } };
    const before = { ...state };
    const tool = named(apiTools(api, { openapi }), 'slow');
    await cancelled(
      tool,
      {},
      () => state.requests > before.requests,
      () => state.closed > before.closed,
    );
  });

  it('ends the HTTP request of a GraphQL query', async () => {
    await using gql = new GraphQLIntegration({ endpoint: `${origin}/graphql` });
    const [tool] = await graphqlTools(gql, { documents: ['query slow { slow }'] });
    const before = { ...state };
    await cancelled(
      tool as Tool,
      {},
      () => state.requests > before.requests,
      () => state.closed > before.closed,
    );
  });

  it('stops the SQL statement on the server', async () => {
    await using db = new PostgresDatabase({ url: services.postgres.url });
    await using watcher = new PostgresDatabase({ url: services.postgres.url });
    const seen = { running: false, asked: 0 };
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        const rows = await watcher.query(
          "select 1 from pg_stat_activity where state = 'active' and query like '%a_marked_sleep%' and pid <> pg_backend_pid()",
        );
        seen.running = rows.length > 0;
        seen.asked += 1;
        await sleep(5);
      }
    })();
    const tool = named(databaseTools(db), 'database_query');
    let asked = 0;
    try {
      await cancelled(
        tool,
        { sql: 'select pg_sleep(60) as a_marked_sleep' },
        () => seen.running,
        () => {
          // The first answer after the cancellation may be of before it.
          asked ||= seen.asked + 2;
          return seen.asked >= asked && !seen.running;
        },
      );
    } finally {
      watching.abort();
      await watch;
    }
    expect(await db.query('select 1 as alive')).toEqual([{ alive: 1 }]);
  });

  it('cancels the task of an agent, and progress is told meanwhile', async () => {
    const seen = { began: false, ended: false };
    class Slow extends Agent {
      constructor() {
        super('slow', { capabilities: [] });
      }
      override canHandle(): boolean {
        return true;
      }
      override async execute(_task: unknown, context?: TaskContext) {
        seen.began = true;
        context?.progress(1);
        await new Promise((resolve) => context?.signal.addEventListener('abort', resolve, { once: true }));
        seen.ended = true;
        return { success: false, metadata: {} };
      }
    }
    await using pool = new AgentPool([new Slow()]);
    const tool = named(agentTools(pool), 'agent_run');
    await cancelled(
      tool,
      { type: 'anything' },
      () => seen.began,
      () => seen.ended,
    );
  });
});

describe('agentTools of real agents', () => {
  class Doubler extends Agent {
    constructor() {
      super('doubler', { capabilities: [] });
    }
    override canHandle(task: { type: string }): boolean {
      return task.type === 'double' || task.type === 'sure';
    }
    override async execute(task: { type: string; parameters: unknown }, context?: TaskContext) {
      const { n } = task.parameters as { n: number };
      context?.progress({ progress: 0.5, message: 'half' });
      if (task.type === 'sure') return { doubled: n * 2, because: await context?.ask('Sure?') };
      return { doubled: n * 2 };
    }
  }

  it('run a task through the pool, and let its question be answered', async () => {
    await using pool = new AgentPool([new Doubler()]);
    await using server = new MCPServer({ name: 's', version: '1', tools: agentTools(pool) });
    await using client = await server.connectInMemory();
    const done = await client.callTool('agent_run', { type: 'double', parameters: { n: 4 } });
    expect(done.structuredContent).toMatchObject({ state: 'completed', data: { doubled: 8 } });
    const asked = await client.callTool('agent_run', { type: 'sure', parameters: { n: 1 } });
    const { id, question } = asked.structuredContent as { id: string; question: { prompt: unknown } };
    expect(question.prompt).toBe('Sure?');
    await client.callTool('agent_respond', { id, answer: 'yes' });
    const state = await client.callTool('agent_task', { id, waitMs: 20_000 });
    expect(state.structuredContent).toMatchObject({
      state: 'completed',
      result: { success: true, data: { doubled: 2, because: 'yes' } },
    });
    const nobody = await client.callTool('agent_run', { type: 'unknown' });
    expect(nobody.isError).toBe(true);
  });
});
