import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PostgresDatabase } from '@safla/sdk/database';
import { GraphQLIntegration } from '@safla/sdk/graphql';
import {
  agentTools,
  apiTools,
  databaseTools,
  defineTool,
  graphqlTools,
  type MCPClient,
  MCPServer,
  searchableTools,
  type Tool,
  upstreamTools,
  websocketTools,
} from '@safla/sdk/mcp';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { buildSchema, graphql } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { waitUntil } from './support/wait-until.js';

const names = (tools: readonly Tool[]): string[] => tools.map(({ name }) => name);

async function withClient<T>(tools: readonly Tool[], work: (client: MCPClient) => Promise<T>): Promise<T> {
  await using server = new MCPServer({ name: 's', version: '1', tools });
  await using client = await server.connectInMemory();
  return await work(client);
}

describe('databaseTools', () => {
  let db: PostgresDatabase;
  beforeAll(async () => {
    db = new PostgresDatabase({ url: 'memory:' });
    await db.query('create table orders (id bigint primary key, customer text not null, total numeric, seal bytea)');
    await db.query("insert into orders select i, 'c' || i % 3, i * 1.5, '\\xff00' from generate_series(1, 500) i");
    await db.query("insert into orders values (9007199254740993, 'big', 0, null)");
  }, 60_000);
  afterAll(() => db.close());

  const queries = {
    of: {
      description: 'Orders of a customer',
      sql: 'select id, customer from orders where customer = $1 and id < $2 order by id',
      params: { customer: { type: 'string' }, below: { type: 'integer', default: 10 } },
    },
  };

  it('make one tool of each named statement, with its parameters in order and defaults', async () => {
    const tools = databaseTools(db, { queries });
    expect(names(tools)).toEqual(['database_of']);
    await withClient(tools, async (client) => {
      const answer = await client.callTool('database_of', { customer: 'c1' });
      expect(answer.structuredContent).toEqual({
        rows: [1, 4, 7].map((id) => ({ id, customer: 'c1' })),
      });
      expect((await client.callTool('database_of', { customer: 'c1', below: 2 })).structuredContent).toEqual({
        rows: [{ id: 1, customer: 'c1' }],
      });
      expect((await client.callTool('database_of', {})).text).toContain("'customer'");
      const injection = await client.callTool('database_of', { customer: "x' or 1=1 --" });
      expect(injection.structuredContent).toEqual({ rows: [] });
    });
  });

  it('refuse a statement that writes in a set that is read-only, at construction', () => {
    const write = { add: { description: 'Add', sql: 'insert into orders values ($1)', readOnly: false } };
    expect(() => databaseTools(db, { queries: write })).toThrow(/queries.add writes; allow it with readOnly: false/);
    const [tool] = databaseTools(db, { queries: write, readOnly: false });
    expect(tool?.annotations?.readOnlyHint).toBe(false);
  });

  it('cannot write by a statement that only says it reads', async () => {
    const lying = { add: { description: 'Add', sql: "insert into orders values (-1, 'x') returning id" } };
    await withClient(databaseTools(db, { queries: lying, readOnly: false }), async (client) => {
      expect((await client.callTool('database_add')).isError).toBe(true);
    });
    expect(await db.query('select 1 from orders where id = -1')).toHaveLength(0);
  });

  it('write by a statement that is allowed to', async () => {
    const write = {
      rename: {
        description: 'Rename',
        sql: 'update orders set customer = $2 where id = $1 returning id, customer',
        params: { id: { type: 'integer' }, customer: { type: 'string' } },
        readOnly: false,
      },
    };
    await withClient(databaseTools(db, { queries: write, readOnly: false, name: 'shop' }), async (client) => {
      const answer = await client.callTool('shop_rename', { id: 500, customer: 'new' });
      expect(answer.structuredContent).toEqual({ rowCount: 1, rows: [{ id: 500, customer: 'new' }] });
    });
  });

  it('let a model write its own statements, which can only read, within limits', async () => {
    const tools = databaseTools(db, { maxRows: 3 });
    expect(names(tools)).toEqual(['database_query', 'database_tables']);
    await withClient(tools, async (client) => {
      const { structuredContent } = await client.callTool('database_query', {
        sql: 'select id from orders where id > $1 order by id',
        params: [7],
      });
      expect(structuredContent).toEqual({
        rows: [{ id: 8 }, { id: 9 }, { id: 10 }],
        truncated: 'more rows than shown',
      });
      for (const sql of [
        'delete from orders',
        'with gone as (delete from orders returning id) select * from gone',
        'select 1; delete from orders',
        'commit',
        "select set_config('transaction_read_only', 'off', false); delete from orders",
      ]) {
        expect((await client.callTool('database_query', { sql })).isError, sql).toBe(true);
      }
      expect(await db.query('select count(*)::int as n from orders')).toEqual([{ n: 501 }]);
      const wrong = await client.callTool('database_query', { sql: 'select colour from orders' });
      expect(wrong.text).toContain('colour');
      const tables = await client.callTool('database_tables');
      expect(tables.structuredContent).toMatchObject({
        rows: [
          {
            schema: 'public',
            table: 'orders',
            columns: expect.arrayContaining([{ name: 'id', type: 'bigint', nullable: false }]),
          },
        ],
      });
    });
  });

  it('give values that JSON has no form for as text', async () => {
    await withClient(databaseTools(db), async (client) => {
      const answer = await client.callTool('database_query', {
        sql: "select id, seal, 'infinity'::float8 as much, 'infinity'::timestamptz as never from orders where id in (1, 9007199254740993) order by id",
      });
      const { rows } = answer.structuredContent as { rows: { id: unknown; seal: unknown; much: unknown }[] };
      expect(rows[0]).toMatchObject({ id: 1, seal: '/wA=', much: 'Infinity' });
      expect(rows[1]).toMatchObject({ id: '9007199254740993', seal: null });
    });
  });
});

describe('graphqlTools', () => {
  const schema = buildSchema(`
    "How far an order is"
    enum Stage { OPEN SENT }
    input Filter { stage: Stage, tags: [String!], not: Filter }
    type Customer { id: ID!, name: String, orders(first: Int!): [Order!]! , friend: Customer }
    type Order { id: ID!, total: Float!, stage: Stage!, customer: Customer!, old: String @deprecated }
    type Note { text: String }
    union Thing = Order | Note
    type Query {
      "Orders, newest first"
      orders(first: Int = 2, filter: Filter): [Order!]!
      thing(id: ID!): Thing
      version: String!
    }
    type Mutation { cancelOrder(id: ID!, reason: String): Order  dropAll: Boolean }
  `);
  const order = (id: number): object => ({ id, total: id * 2, stage: 'OPEN', customer: { id: 'c', name: 'Ann' } });
  const sent: { query: string; variables?: Record<string, unknown> }[] = [];
  const backend = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { query, variables, operationName } = JSON.parse(body) as {
      query: string;
      variables?: Record<string, unknown>;
      operationName?: string;
    };
    sent.push({ query, ...(variables ? { variables } : {}) });
    const result = await graphql({
      schema,
      source: query,
      variableValues: variables ?? {},
      operationName: operationName ?? null,
      rootValue: {
        orders: ({ first }: { first: number }) => {
          if (first > 100) throw new Error('first is too large');
          return Array.from({ length: first }, (_, i) => order(i + 1));
        },
        thing: ({ id }: { id: string }) => ({ __typename: 'Note', text: `note ${id}` }),
        version: () => '7',
        cancelOrder: ({ id }: { id: string }) => order(Number(id)),
      },
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  });
  let gql: GraphQLIntegration;
  beforeAll(async () => {
    backend.listen(0, '127.0.0.1');
    await once(backend, 'listening');
    gql = new GraphQLIntegration({ endpoint: `http://127.0.0.1:${(backend.address() as AddressInfo).port}/graphql` });
  });
  afterAll(async () => {
    await gql.close();
    backend.closeAllConnections();
    backend.close();
  });

  const documents = [
    `# The newest orders
     # of the shop
     query newest($first: Int!, $filter: Filter) { orders(first: $first, filter: $filter) { ...part } }
     fragment part on Order { id total }`,
    'mutation cancel($id: ID!) { cancelOrder(id: $id) { id stage } }',
  ];

  it('make a tool of each query of your documents, and of mutations that are named', async () => {
    const tools = await graphqlTools(gql, { documents });
    expect(tools).toMatchObject([{ name: 'newest', description: 'The newest orders\nof the shop' }]);
    expect(names(await graphqlTools(gql, { documents, allow: ['cancel'], name: 'shop' }))).toEqual([
      'shop_newest',
      'shop_cancel',
    ]);
    await expect(graphqlTools(gql, { documents, allow: ['cancle'] })).rejects.toThrow(/did you mean 'cancel'/);
    await withClient(tools, async (client) => {
      const answer = await client.callTool('newest', { first: 1 });
      expect(answer.structuredContent).toEqual({ orders: [{ id: '1', total: 2 }] });
      expect((await client.callTool('newest', { first: 'two' })).text).toContain('first: must be integer');
    });
  });

  it('know enums and input objects of your documents once the server was asked', async () => {
    const tools = await graphqlTools(gql, { documents, introspect: true });
    const [listed] = await withClient(tools, (client) => client.listTools());
    expect(listed?.inputSchema).toMatchObject({
      properties: { filter: { anyOf: [{ $ref: '#/$defs/Filter' }, { type: 'null' }] } },
      $defs: {
        Stage: { type: 'string', enum: ['OPEN', 'SENT'], description: 'How far an order is' },
        Filter: { properties: { tags: { type: ['array', 'null'], items: { type: 'string' } } } },
      },
    });
    await withClient(tools, async (client) => {
      const wrong = await client.callTool('newest', { first: 1, filter: { stage: 'LOST' } });
      expect(wrong.isError).toBe(true);
      const right = await client.callTool('newest', { first: 1, filter: { stage: 'OPEN', not: { tags: ['a'] } } });
      expect(right.isError).toBe(false);
    });
  });

  it('make a tool of each field of the schema, asking for what can be asked without arguments', async () => {
    const tools = await graphqlTools(gql, { introspect: true });
    expect(names(tools)).toEqual(['orders', 'thing', 'version']);
    expect(tools[0]?.description).toBe('Orders, newest first');
    await withClient(tools, async (client) => {
      expect((await client.callTool('orders', {})).structuredContent).toEqual({
        orders: [1, 2].map((id) => ({ id: `${id}`, total: id * 2, stage: 'OPEN', customer: { id: 'c', name: 'Ann' } })),
      });
      expect((await client.callTool('thing', { id: 'x' })).structuredContent).toEqual({
        thing: { __typename: 'Note', text: 'note x' },
      });
      expect((await client.callTool('version')).structuredContent).toEqual({ version: '7' });
      const chosen = await client.callTool('orders', { first: 1, selection: '{ id customer { name } }' });
      expect(chosen.structuredContent).toEqual({ orders: [{ id: '1', customer: { name: 'Ann' } }] });
    });
  });

  it.each([
    '{ id } } mutation { dropAll }',
    'id } dropAll { x',
    '{',
    '{ id } { total }',
    '{ id } fragment x on Order { id }',
  ])('do not let a selection be more than one: %s', async (selection) => {
    const tools = await graphqlTools(gql, { introspect: true });
    const before = sent.length;
    await withClient(tools, async (client) => {
      expect(await client.callTool('orders', { selection })).toMatchObject({
        isError: true,
        text: expect.stringContaining('selection must be'),
      });
    });
    expect(sent.length).toBe(before);
  });

  it('offer mutations of the schema that are named, and tell what the server says', async () => {
    const tools = await graphqlTools(gql, { introspect: true, allow: ['cancelOrder'] });
    expect(names(tools)).toContain('cancelOrder');
    expect(names(tools)).not.toContain('dropAll');
    await withClient(tools, async (client) => {
      expect((await client.callTool('cancelOrder', { id: 3 })).structuredContent).toMatchObject({
        cancelOrder: { id: '3' },
      });
      const failed = await client.callTool('orders', { first: 101 });
      expect(failed).toMatchObject({ isError: true, text: 'The GraphQL server answered: first is too large' });
      expect(failed.text).not.toContain('127.0.0.1');
    });
  });

  it('refuse what is no document, has no name, or nothing at all', async () => {
    await expect(graphqlTools(gql, { documents: ['query {'] })).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(graphqlTools(gql, { documents: ['{ version }'] })).rejects.toThrow(/have a name/);
    await expect(graphqlTools(gql, {})).rejects.toThrow(/needs documents, or introspect/);
  });
});

it.each([
  ['databaseTools', () => databaseTools({ read: () => undefined } as never), 'query() is missing'],
  ['websocketTools', () => websocketTools(undefined as never), 'messages() is missing'],
  ['agentTools', () => agentTools({} as never), 'submit() is missing'],
  ['apiTools', () => apiTools('https://x' as never), 'request() is missing'],
  ['graphqlTools', () => graphqlTools(null as never, { introspect: true }), 'query() is missing'],
  ['upstreamTools', () => upstreamTools([] as never), 'listTools() is missing'],
])('%s refuse at once what they cannot stand on', async (name, make, missing) => {
  const error = await (async () => make())().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'CONFIGURATION', message: expect.stringContaining(missing) });
  expect((error as Error).message).toContain(`${name} needs a`);
});

describe('websocketTools', () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  beforeAll(async () => {
    if (server.address() === null) await once(server, 'listening');
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        const message = JSON.parse(String(data)) as { id?: unknown; op?: string };
        if (message.op === 'tick') for (const n of [1, 2, 3]) socket.send(JSON.stringify({ n }));
        if (message.op === 'sum') socket.send(JSON.stringify({ id: message.id, result: 3 }));
      });
    });
  });
  afterAll(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });

  it('wait for messages, and send and ask when allowed', async () => {
    const { port } = server.address() as AddressInfo;
    await using ws = new WebSocketIntegration({ url: `ws://127.0.0.1:${port}` });
    expect(names(websocketTools(ws))).toEqual(['websocket_wait']);
    await ws.connect();
    await withClient(websocketTools(ws, { name: 'feed', allow: ['send', 'request'] }), async (client) => {
      const waiting = client.callTool('feed_wait', { count: 2, timeoutMs: 20_000 });
      let arrived = false;
      const done = waiting.then(
        () => {
          arrived = true;
        },
        () => undefined,
      );
      while (!arrived) {
        await client.callTool('feed_send', { message: { op: 'tick' } });
        await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 20))]);
      }
      const { messages } = (await waiting).structuredContent as { messages: { n: number }[] };
      expect(messages).toHaveLength(2);
      const answer = await client.callTool('feed_request', { message: { op: 'sum' } });
      expect(answer.structuredContent).toMatchObject({ answer: { result: 3 } });
      expect((await client.callTool('feed_wait', { timeoutMs: 20 })).structuredContent).toEqual({
        state: 'open',
        messages: [],
      });
    });
  });
});

describe('upstreamTools', () => {
  it('offer the tools of another server with their schemas, progress and answers, under a prefix', async () => {
    const slow = defineTool(
      { name: 'slow', description: 'Slow', annotations: { readOnlyHint: true } },
      async (_, context) => {
        await context.progress(1, 2, 'half');
        return { done: true };
      },
    );
    const bad = defineTool({ name: 'bad', description: 'Bad' }, () => ({
      content: [{ type: 'text', text: 'no' }],
      isError: true,
    }));
    await using behind = new MCPServer({ name: 'behind', version: '1', tools: [slow, bad] });
    await using upstream = await behind.connectInMemory();
    const tools = await upstreamTools(upstream, { name: 'far', filter: ({ name }) => name !== 'hidden' });
    expect(tools).toMatchObject([{ name: 'far_slow', annotations: { readOnlyHint: true } }, { name: 'far_bad' }]);
    await withClient(tools, async (client) => {
      const steps: unknown[] = [];
      const answer = await client.callTool('far_slow', {}, { onProgress: (step) => void steps.push(step) });
      expect(answer.structuredContent).toEqual({ done: true });
      expect(steps).toMatchObject([{ progress: 1, total: 2, message: 'half' }]);
      expect(await client.callTool('far_bad')).toMatchObject({ isError: true, text: 'no' });
    });
  });

  it('cancel the call behind when theirs is cancelled', async () => {
    let cancelled = 0;
    const hang = defineTool({ name: 'hang', description: 'Hang' }, async (_, { signal }) => {
      await once(signal, 'abort');
      cancelled += 1;
    });
    await using behind = new MCPServer({ name: 'behind', version: '1', tools: [hang] });
    await using upstream = await behind.connectInMemory();
    await withClient(await upstreamTools(upstream), async (client) => {
      const abort = new AbortController();
      const call = client.callTool('hang', {}, { signal: abort.signal });
      setTimeout(() => abort.abort('enough'), 50);
      await expect(call).rejects.toBe('enough');
      await waitUntil(() => cancelled === 1, 'the call behind ended');
    });
  });

  it('give names that older servers made up a form that is allowed, and keep them apart', async () => {
    const info = (name: string) => ({ name, inputSchema: { type: 'object' } });
    const called: string[] = [];
    const upstream = {
      listTools: async () => [info('a/b'), info('a b'), info('a_b')],
      callTool: async (name: string) => {
        called.push(name);
        return { content: [], isError: false };
      },
    };
    const tools = await upstreamTools(upstream);
    expect(names(tools)).toEqual(['a_b', 'a_b_2', 'a_b_3']);
    await withClient(tools, (client) => client.callTool('a_b_2'));
    expect(called).toEqual(['a b']);
  });
});

describe('searchableTools', () => {
  const tool = (name: string, description: string, more: object = {}): Tool =>
    defineTool({ name, description, annotations: { readOnlyHint: true }, ...more }, (args) => ({ name, args }));

  it('find by words of names and descriptions, the exact name first', async () => {
    const set = [
      tool('listUserOrders', 'All orders of one user'),
      tool('get_weather', 'The weather of a city'),
      tool('order', 'Something else'),
    ];
    await withClient(searchableTools(set), async (client) => {
      const search = async (query: string): Promise<string[]> =>
        (
          (await client.callTool('search_tools', { query })).structuredContent as { tools: { name: string }[] }
        ).tools.map(({ name }) => name);
      expect((await search('user order'))[0]).toBe('listUserOrders');
      expect(await search('Cities')).toEqual(['get_weather']);
      expect((await search('order'))[0]).toBe('order');
      expect(await search('xyzzy')).toEqual([]);
      expect((await client.callTool('call_tool', { tool: 'get_wether' })).text).toContain("did you mean 'get_weather'");
    });
  });

  it('ask for the scopes of what they call, and hold its time', async () => {
    const hang = defineTool(
      { name: 'hang', description: 'x', timeoutMs: 30, scopes: ['admin'], annotations: { readOnlyHint: true } },
      () => new Promise(() => undefined),
    );
    const [, call] = searchableTools([hang]);
    expect(call?.scopes).toEqual(['admin']);
    await withClient(searchableTools([hang]), async (client) => {
      expect((await client.callTool('call_tool', { tool: 'hang' })).isError).toBe(true);
    });
  });
});

/** What an agent is to the tools: a task that tells, asks and can be cancelled. */
class ScriptedAgent {
  readonly cancelled: unknown[] = [];
  readonly answers: unknown[] = [];
  #count = 0;

  submit({ type, parameters }: { type: string; parameters: object }) {
    const events = new EventEmitter();
    const id = `t${++this.#count}`;
    const queue: object[] = [];
    let finish: (result: { success: boolean; data?: unknown; error?: string; metadata: object }) => void = () =>
      undefined;
    const result = new Promise<{ success: boolean; data?: unknown; error?: string; metadata: object }>((resolve) => {
      finish = resolve;
    });
    const tell = (event: object): void => {
      queue.push(event);
      events.emit('event');
    };
    const handle = {
      id,
      state: 'working',
      result,
      events: {
        async *[Symbol.asyncIterator]() {
          for (let i = 0; ; i++) {
            while (i >= queue.length) await once(events, 'event');
            const event = queue[i] as { type: string };
            yield event;
            if (event.type === 'end') return;
          }
        },
      },
      cancel: (reason?: unknown): void => {
        this.cancelled.push(reason);
        handle.state = 'canceled';
        finish({ success: false, error: 'canceled', metadata: {} });
      },
      respond: async (answer: unknown): Promise<void> => {
        this.answers.push(answer);
        handle.state = 'completed';
        finish({ success: true, data: answer, metadata: {} });
      },
    };
    setImmediate(() => {
      tell({ type: 'progress', progress: 1, total: 2, message: 'begun' });
      if (type === 'echo') {
        handle.state = 'completed';
        finish({ success: true, data: parameters, metadata: { agent: 'a' } });
      }
      if (type === 'fail') finish({ success: false, error: 'it broke', metadata: {} });
      if (type === 'ask') {
        handle.state = 'input-required';
        tell({ type: 'status', state: 'input-required', question: { id: 'q1', prompt: 'Sure?' } });
      }
    });
    return handle;
  }
}

describe('agentTools', () => {
  it('run a task and tell its progress, result or failure', async () => {
    await withClient(agentTools(new ScriptedAgent(), { types: ['echo', 'fail'] }), async (client) => {
      const answer = await client.callTool('agent_run', { type: 'echo', parameters: { a: 1 } });
      expect(answer.structuredContent).toEqual({
        id: 't1',
        state: 'completed',
        data: { a: 1 },
        metadata: { agent: 'a' },
      });
      expect(await client.callTool('agent_run', { type: 'fail' })).toMatchObject({
        isError: true,
        text: 'The task failed: it broke',
      });
      expect((await client.callTool('agent_run', { type: 'other' })).isError).toBe(true);
    });
  });

  it('cancel the task when the call is cancelled', async () => {
    const agent = new ScriptedAgent();
    await withClient(agentTools(agent), async (client) => {
      const abort = new AbortController();
      const call = client.callTool('agent_run', { type: 'wait' }, { signal: abort.signal });
      setTimeout(() => abort.abort('enough'), 50);
      await expect(call).rejects.toBe('enough');
      await waitUntil(() => agent.cancelled.length === 1, 'the task was cancelled');
    });
  });

  it('start a task that outlives the call, tell how it is, and end it', async () => {
    const agent = new ScriptedAgent();
    await withClient(agentTools(agent), async (client) => {
      const { structuredContent } = await client.callTool('agent_start', { type: 'wait' });
      expect(structuredContent).toMatchObject({ id: 't1', state: 'working' });
      const state = await client.callTool('agent_task', { id: 't1', waitMs: 20 });
      expect(state.structuredContent).toMatchObject({
        state: 'working',
        progress: { done: 1, total: 2, message: 'begun' },
      });
      expect(agent.cancelled).toEqual([]);
      const ended = await client.callTool('agent_cancel', { id: 't1' });
      expect(ended.structuredContent).toMatchObject({ state: 'canceled', result: { success: false } });
      expect((await client.callTool('agent_task', { id: 'nothing' })).text).toContain("There is no task 'nothing'");
    });
  });

  it('leave a task that asks something waiting for its answer', async () => {
    const agent = new ScriptedAgent();
    await withClient(agentTools(agent), async (client) => {
      const asked = await client.callTool('agent_run', { type: 'ask' });
      expect(asked.structuredContent).toMatchObject({
        id: 't1',
        state: 'input-required',
        question: { id: 'q1', prompt: 'Sure?' },
      });
      await client.callTool('agent_respond', { id: 't1', answer: 'yes' });
      const done = await client.callTool('agent_task', { id: 't1' });
      expect(done.structuredContent).toMatchObject({ state: 'completed', result: { success: true, data: 'yes' } });
      expect(agent.answers).toEqual(['yes']);
    });
  });

  it('know a task only to who started it', async () => {
    await using server = new MCPServer({ name: 's', version: '1', tools: agentTools(new ScriptedAgent()) });
    const call = async (
      user: string,
      name: string,
      args: object,
    ): Promise<{ isError?: boolean; structuredContent?: { id: string } }> => {
      const request = new Request('http://localhost/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }),
      });
      const response = await server.fetch(request, { principal: { id: user } });
      const text = await response.text();
      const json = text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '{}');
      return (JSON.parse(json) as { result: { isError?: boolean } }).result;
    };
    const started = await call('ann', 'agent_start', { type: 'wait' });
    const id = started.structuredContent?.id;
    expect((await call('ann', 'agent_task', { id })).isError).not.toBe(true);
    expect((await call('bob', 'agent_task', { id })).isError).toBe(true);
    expect((await call('bob', 'agent_cancel', { id })).isError).toBe(true);
  });

  it('take no more tasks than there are places for, and forget final ones first', async () => {
    await withClient(agentTools(new ScriptedAgent(), { maxTasks: 1 }), async (client) => {
      await client.callTool('agent_start', { type: 'wait' });
      expect((await client.callTool('agent_start', { type: 'wait' })).text).toContain('1 tasks run already');
      await client.callTool('agent_cancel', { id: 't1' });
      expect((await client.callTool('agent_start', { type: 'wait' })).isError).toBe(false);
      expect((await client.callTool('agent_task', { id: 't1' })).isError).toBe(true);
    });
  });
});
