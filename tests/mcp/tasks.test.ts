import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Agent, type Task, type TaskContext } from '@safla/sdk/agents';
import {
  agentTools,
  asTask,
  defineTool,
  fromJSONSchema,
  MCPServer,
  type MCPServerOptions,
  type MCPTaskRecord,
  type Tool,
  ToolError,
} from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, ask, tasksExtension as extension, modern } from './support/ask.js';
import { fixture } from './support/child.js';
import { waitUntil } from './support/wait-until.js';

let ids = 0;

const make = (tools: readonly Tool[], options: Partial<MCPServerOptions> = {}): MCPServer =>
  new MCPServer({ name: 'long', version: '1', tools, ...options });
const call = (server: MCPServer, name: string, by = {}): Promise<Answer> =>
  ask(server, 'tools/call', { name, arguments: {} }, by);
const get = (server: MCPServer, taskId: unknown, by = {}): Promise<Answer> => ask(server, 'tasks/get', { taskId }, by);

async function settled(server: MCPServer, taskId: unknown, status: string, by = {}): Promise<Answer> {
  let answer = await get(server, taskId, by);
  for (let i = 0; i < 2_000 && answer.result?.status !== status; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    answer = await get(server, taskId, by);
  }
  expect(answer.result?.status).toBe(status);
  return answer;
}

/** A tool that waits until it is let go or aborted, and says which. */
function gate(name = 'gate'): { readonly tool: Tool; readonly open: () => void; readonly aborted: () => unknown } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let aborted: unknown;
  const tool = defineTool({ name, description: 'Waits' }, async (_, context) => {
    context.signal.addEventListener('abort', () => {
      aborted = context.signal.reason;
    });
    await context.progress(1, 4);
    await opened;
    return 'through';
  });
  return { tool, open: () => open(), aborted: () => aborted };
}

describe('a call that is a task', () => {
  it('gives a handle at once, tells how far it is, and inlines the answer when it has one', async () => {
    const { tool, open } = gate();
    await using server = make([asTask(tool)], { tasks: { ttlMs: 60_000, pollIntervalMs: 250 } });
    const { result: handle } = await call(server, 'gate');
    expect(handle).toMatchObject({ resultType: 'task', status: 'working', ttlMs: 60_000, pollIntervalMs: 250 });
    expect(handle?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(handle).not.toHaveProperty('result');
    const { result: working } = await get(server, handle?.taskId);
    expect(working).toMatchObject({ resultType: 'complete', status: 'working', statusMessage: '1 of 4' });
    open();
    const { result } = await settled(server, handle?.taskId, 'completed');
    expect(result?.result?.content).toEqual([{ type: 'text', text: 'through' }]);
    expect(result).not.toHaveProperty('statusMessage');
  });

  it('waits for the answer where the client knows no tasks', async () => {
    const { tool, open } = gate();
    await using server = make([asTask(tool)]);
    open();
    const { result } = await call(server, 'gate', { capabilities: {} });
    expect(result?.content[0]?.text).toBe('through');
    expect(result).not.toHaveProperty('taskId');
  });

  it('is refused with the missing capability where it must be a task', async () => {
    await using server = make([asTask(gate().tool, { required: true })]);
    const { error, status } = await call(server, 'gate', { capabilities: {} });
    expect([status, error?.code]).toEqual([400, -32021]);
    expect(error?.data).toEqual({ requiredCapabilities: { extensions: { [extension]: {} } } });
    const older = await server.fetch(
      new Request('http://127.0.0.1/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'gate', arguments: {} } }),
      }),
    );
    expect(await older.text()).toContain(`the client must declare the extension ${extension}`);
  });

  it('goes on after the request and its connection have ended', async () => {
    const { tool, open, aborted } = gate();
    await using server = make([asTask(tool)]);
    const gone = new AbortController();
    const { result } = await call(server, 'gate', { signal: gone.signal });
    gone.abort();
    open();
    await settled(server, result?.taskId, 'completed');
    expect(aborted()).toBeUndefined();
  });

  it('is cancelled at once, tool and all, and stays cancelled', async () => {
    const { tool, open, aborted } = gate();
    await using server = make([asTask(tool)]);
    const taskId = (await call(server, 'gate')).result?.taskId;
    const ack = await ask(server, 'tasks/cancel', { taskId });
    expect(ack.result).toMatchObject({ resultType: 'complete' });
    expect(ack.result).not.toHaveProperty('status');
    expect(aborted()).toMatchObject({ name: 'AbortError' });
    open();
    await ask(server, 'tasks/cancel', { taskId });
    expect((await get(server, taskId)).result).toMatchObject({ status: 'cancelled' });
    expect(server.stats().gate).toMatchObject({ calls: 1, cancelled: 1 });
  });

  it('completes with isError when the tool fails, and tells nothing but a reference of unknown errors', async () => {
    const readable = defineTool({ name: 'readable', description: 'x' }, () => {
      throw new ToolError('no such order');
    });
    const secret = defineTool({ name: 'secret', description: 'x' }, () => {
      throw new Error('password=hunter2');
    });
    await using server = make([asTask(readable), asTask(secret)]);
    const said = async (name: string): Promise<unknown> => {
      const { result } = await settled(server, (await call(server, name)).result?.taskId, 'completed');
      expect(result?.result?.isError).toBe(true);
      return result?.result?.content[0]?.text;
    };
    expect(await said('readable')).toBe('no such order');
    expect(await said('secret')).toMatch(/^Tool 'secret' failed\. Reference: [\w-]+$/);
  });

  it('fails with a JSON-RPC error where a call would have been answered by one', async () => {
    const roots = defineTool({ name: 'roots', description: 'x' }, async (_, context) => context.roots());
    await using server = make([asTask(roots)]);
    const { result } = await settled(server, (await call(server, 'roots')).result?.taskId, 'failed');
    expect(result?.error).toMatchObject({ code: -32021 });
    expect(result).not.toHaveProperty('result');
  });
});

describe('a task that asks', () => {
  const number = z.object({ n: z.number() });
  const adding = (): { readonly tool: Tool; readonly runs: () => number } => {
    let runs = 0;
    const tool = defineTool({ name: 'add', description: 'Adds' }, async (_, context) => {
      runs += 1;
      const [a, b] = await Promise.all([
        context.ask({ key: 'a', message: 'First?', schema: number }),
        context.ask({ key: 'b', message: 'Second?', schema: number }),
      ]);
      return String((a.content?.n ?? 0) + (b.content?.n ?? 0));
    });
    return { tool, runs: () => runs };
  };
  const accept = (content: object): object => ({ action: 'accept', content });
  const update = (server: MCPServer, taskId: unknown, inputResponses: object): Promise<Answer> =>
    ask(server, 'tasks/update', { taskId, inputResponses });

  it('takes answers one by one, ignores unknown and repeated ones, and does not run again', async () => {
    const { tool, runs } = adding();
    await using server = make([asTask(tool)]);
    const taskId = (await call(server, 'add')).result?.taskId;
    const asked = await settled(server, taskId, 'input_required');
    expect(Object.keys(asked.result?.inputRequests ?? {})).toEqual(['a', 'b']);
    expect((await update(server, taskId, { zzz: accept({}) })).result).toMatchObject({ resultType: 'complete' });
    await update(server, taskId, { a: accept({ n: 2 }) });
    await update(server, taskId, { a: accept({ n: 9 }) });
    expect(Object.keys((await get(server, taskId)).result?.inputRequests ?? {})).toEqual(['b']);
    await update(server, taskId, { b: accept({ n: 3 }) });
    const { result } = await settled(server, taskId, 'completed');
    expect(result?.result?.content[0]?.text).toBe('5');
    expect(result).not.toHaveProperty('inputRequests');
    expect(runs()).toBe(1);
  });

  it('asks again under a new key when an answer does not fit', async () => {
    await using server = make([asTask(adding().tool)]);
    const taskId = (await call(server, 'add')).result?.taskId;
    await settled(server, taskId, 'input_required');
    await update(server, taskId, { a: accept({ n: 'two' }), b: accept({ n: 1 }) });
    const { result } = await settled(server, taskId, 'input_required');
    expect(Object.keys(result?.inputRequests ?? {})).toEqual(['a-2']);
    await update(server, taskId, { 'a-2': accept({ n: 2 }) });
    expect((await settled(server, taskId, 'completed')).result?.result?.content[0]?.text).toBe('3');
  });

  it('asks before the task when the handler says when it begins, and through the task afterwards', async () => {
    const tool = defineTool({ name: 'both', description: 'x' }, async (_, context) => {
      const before = await context.ask({ key: 'before', message: 'Before?', schema: number });
      expect(context.background()).toBe(true);
      const after = await context.ask({ key: 'after', message: 'After?', schema: number });
      return `${before.content?.n} ${after.content?.n}`;
    });
    await using server = make([asTask(tool, { starts: 'when told' })]);
    const { result: first } = await call(server, 'both');
    expect(first).toMatchObject({ resultType: 'input_required' });
    expect(first).not.toHaveProperty('taskId');
    const { result: second } = await ask(server, 'tools/call', {
      name: 'both',
      arguments: {},
      inputResponses: { before: accept({ n: 1 }) },
      requestState: first?.requestState,
    });
    expect(second).toMatchObject({ resultType: 'task' });
    expect(second).not.toHaveProperty('requestState');
    const { result: asked } = await settled(server, second?.taskId, 'input_required');
    expect(Object.keys(asked?.inputRequests ?? {})).toEqual(['after']);
    await update(server, second?.taskId, { after: accept({ n: 2 }) });
    expect((await settled(server, second?.taskId, 'completed')).result?.result?.content[0]?.text).toBe('1 2');
  });

  it('answers without a task when the handler never says that it begins', async () => {
    const tool = defineTool({ name: 'short', description: 'x' }, () => 'now');
    await using server = make([asTask(tool, { starts: 'when told' })]);
    const { result } = await call(server, 'short');
    expect([result?.resultType, result?.content[0]?.text]).toEqual(['complete', 'now']);
  });
});

describe('what is kept of tasks', () => {
  it('is known to the principal alone whose call it was', async () => {
    const { tool, aborted } = gate();
    await using server = make([asTask(tool)]);
    const taskId = (await call(server, 'gate', { id: 'ann' })).result?.taskId;
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel'])
      expect((await ask(server, method, { taskId, inputResponses: {} }, { id: 'bob' })).error?.code).toBe(-32602);
    expect(aborted()).toBeUndefined();
    expect((await get(server, taskId, { id: 'ann' })).result?.status).toBe('working');
    await ask(server, 'tasks/cancel', { taskId }, { id: 'ann' });
  });

  it('is forgotten after its time, and what runs then is cancelled', async () => {
    const { tool, aborted } = gate();
    await using server = make([asTask(tool)], { tasks: { ttlMs: 200 } });
    const taskId = (await call(server, 'gate')).result?.taskId;
    await waitUntil(() => aborted() !== undefined, 'the task was cancelled');
    expect((await get(server, taskId)).error?.code).toBe(-32602);
  });

  it('is bounded for each caller and in all, and a place is free again after the time', async () => {
    const quick = defineTool({ name: 'quick', description: 'x' }, () => 'ok');
    await using server = make([asTask(quick)], { tasks: { maxPerCaller: 2, maxTasks: 3, ttlMs: 1_500 } });
    const by = async (id: string): Promise<unknown> => {
      const { result } = await call(server, 'quick', { id });
      return result?.taskId === undefined ? result?.content[0]?.text : 'task';
    };
    expect([await by('ann'), await by('ann')]).toEqual(['task', 'task']);
    expect(await by('ann')).toContain('2 of this caller');
    expect(await by('bob')).toBe('task');
    expect(await by('bob')).toContain('there are 3');
    await new Promise((resolve) => setTimeout(resolve, 1_700));
    expect(await by('ann')).toBe('task');
  });

  it('ends with the server, at its deadline', async () => {
    const { tool, aborted } = gate();
    const server = make([asTask(tool)]);
    await call(server, 'gate');
    await server.close({ timeoutMs: 100 });
    expect(aborted()).toBeDefined();
  });

  it('is shown by another process of the same store, which says that it cannot reach the run', async () => {
    const records = new Map<string, MCPTaskRecord>();
    const store = {
      set: async (id: string, record: MCPTaskRecord) => void records.set(id, JSON.parse(JSON.stringify(record))),
      get: async (id: string) => records.get(id),
      delete: async (id: string) => void records.delete(id),
    };
    const { tool, open } = gate();
    await using one = make([asTask(tool)], { tasks: { store } });
    await using two = make([asTask(tool)], { tasks: { store } });
    const taskId = (await call(one, 'gate', { id: 'ann' })).result?.taskId;
    expect((await get(two, taskId, { id: 'ann' })).result?.status).toBe('working');
    expect((await get(two, taskId, { id: 'bob' })).error?.code).toBe(-32602);
    expect((await ask(two, 'tasks/cancel', { taskId }, { id: 'ann' })).error?.message).toContain('another process');
    open();
    const { result } = await settled(two, taskId, 'completed', { id: 'ann' });
    expect(result?.result?.content[0]?.text).toBe('through');
    expect((await ask(two, 'tasks/cancel', { taskId }, { id: 'ann' })).result).toMatchObject({
      resultType: 'complete',
    });
  });

  it('gives no handle that the store does not know', async () => {
    const store = {
      set: () => Promise.reject(new Error('disk full')),
      get: () => undefined,
      delete: () => undefined,
    };
    const { tool } = gate();
    await using server = make([asTask(tool)], { tasks: { store } });
    const { result, error } = await call(server, 'gate');
    expect(error).toBeUndefined();
    expect([result?.isError, result?.content[0]?.text]).toEqual([
      true,
      'The task could not be kept, so it was not begun; try again later',
    ]);
    expect(server.stats().gate).toBeUndefined();
  });
});

describe('what is asked wrongly', () => {
  it.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    '%s needs the capability, and a task that is there',
    async (method) => {
      await using server = make([]);
      const params = { taskId: 'none', inputResponses: {} };
      expect((await ask(server, method, params, { capabilities: {} })).error?.code).toBe(-32021);
      expect((await ask(server, method, params)).error?.code).toBe(-32602);
    },
  );

  it('options and tools that are none are refused', () => {
    const { tool } = gate();
    expect(() => asTask({ name: 'x' } as unknown as Tool)).toThrow('defineTool');
    expect(() => asTask(tool, { starts: 'later' as 'at once' })).toThrow('starts');
    expect(() => make([], { tasks: { ttlMs: 2 ** 31 } })).toThrow('ttlMs');
    expect(() => make([], { tasks: { store: { get: () => undefined } as never } })).toThrow('set, delete');
    expect(
      asTask(defineTool({ name: 'y', description: 'y', input: fromJSONSchema({ type: 'object' }) }, () => 1)).task,
    ).toEqual({
      required: false,
      starts: 'at once',
    });
  });
});

class Counter extends Agent {
  reason: unknown;

  constructor() {
    super('counter', { capabilities: ['count'] });
  }

  async execute(_: Task, context: TaskContext): Promise<string> {
    context.signal.addEventListener('abort', () => {
      this.reason = context.signal.reason;
    });
    context.progress({ progress: 3, total: 7 });
    await context.sleep(60_000);
    return 'counted';
  }
}

describe('over stdio', () => {
  it('a task is begun, asked for, and answered', async () => {
    const child = spawn(process.execPath, fixture('task-server.ts'), { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(child, 'close');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const send = async (method: string, params: object): Promise<Answer['result']> => {
      const message = { jsonrpc: '2.0', id: ++ids, method, params: modern({ ...params }) };
      child.stdin.write(`${JSON.stringify(message)}\n`);
      return (JSON.parse(String((await lines.next()).value)) as Answer).result;
    };
    const taskId = (await send('tools/call', { name: 'asking', arguments: {} }))?.taskId;
    expect(await send('tasks/get', { taskId })).toMatchObject({ status: 'input_required' });
    await send('tasks/update', { taskId, inputResponses: { ok: { action: 'accept', content: { ok: true } } } });
    let state = await send('tasks/get', { taskId });
    for (let i = 0; i < 100 && state?.status !== 'completed'; i++) state = await send('tasks/get', { taskId });
    expect(state?.result?.content[0]?.text).toBe('accept');
    child.stdin.end();
    expect(await ended).toEqual([0, null]);
  });
});

describe('agent_run', () => {
  it('gives a handle, tells what the agent tells, and cancels its work with the task', async () => {
    await using agent = new Counter();
    await using server = make(agentTools(agent));
    const run = { name: 'agent_run', arguments: { type: 'count' } };
    const taskId = (await ask(server, 'tools/call', run)).result?.taskId;
    let message: unknown;
    for (let i = 0; i < 2_000 && message === undefined; i++) {
      message = (await get(server, taskId)).result?.statusMessage;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(message).toBe('3 of 7');
    await ask(server, 'tasks/cancel', { taskId });
    await waitUntil(() => agent.reason !== undefined, 'the agent was cancelled');
    expect((await get(server, taskId)).result?.status).toBe('cancelled');
  });
});
