import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { asTask, defineTool, MCPServer, type Tool } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, type By, modern, send } from './support/ask.js';
import { fixture } from './support/child.js';

interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: unknown;
  readonly params?: {
    readonly taskId?: string;
    readonly status?: string;
    readonly statusMessage?: string;
    readonly notifications?: object;
    readonly uri?: string;
    readonly result?: object;
    readonly inputRequests?: object;
    readonly _meta?: object;
  };
}

/** The messages of a stream, one after the other; undefined at its end. */
function messages(response: Response): () => Promise<Message | undefined> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = '';
  return async () => {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (data) return JSON.parse(data) as Message;
        continue;
      }
      const { done, value } = await reader.read();
      if (done) return undefined;
      text += decoder.decode(value, { stream: true });
    }
  };
}

const listen = (server: MCPServer, notifications: object, by?: By): Promise<Response> =>
  send(server, 'subscriptions/listen', { notifications }, by);
const start = async (server: MCPServer, name: string, by?: By): Promise<string> =>
  (await ask(server, 'tools/call', { name, arguments: {} }, by)).result?.taskId ?? '';
const make = (...tools: Tool[]): MCPServer =>
  new MCPServer({ name: 's', version: '1', tools: tools.map((t) => asTask(t)) });

/** Asks, then says how far it is when it is told to, then answers. */
const working = defineTool({ name: 'working', description: 'Works' }, async (_, context) => {
  const schema = z.object({ steps: z.int() });
  const { content } = await context.ask({ key: 'steps', message: 'How many?', schema });
  for (let step = 1; step <= (content?.steps ?? 0); step++) await context.progress(step, undefined, `step ${step}`);
  return 'done';
});
const stuck = defineTool({ name: 'stuck', description: 'Waits' }, () => new Promise(() => undefined));
const steps = (count: number): object => ({ steps: { action: 'accept', content: { steps: count } } });

describe('notifications/tasks', () => {
  it('tell of each change of a task that is listened to, as tasks/get would', async () => {
    await using server = make(working);
    const taskId = await start(server, 'working');
    const next = messages(await listen(server, { taskIds: [taskId] }));
    const acknowledged = await next();
    expect(acknowledged).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { taskIds: [taskId] } },
    });
    const asked = await next();
    expect(asked).toMatchObject({ method: 'notifications/tasks', params: { taskId, status: 'input_required' } });
    expect(Object.keys(asked?.params?.inputRequests ?? {})).toEqual(['steps']);
    expect(asked?.params?._meta).toEqual(acknowledged?.params?._meta);
    expect(asked).not.toHaveProperty('id');
    await ask(server, 'tasks/update', { taskId, inputResponses: steps(1) });
    const seen: Message[] = [];
    while (seen.at(-1)?.params?.status !== 'completed') seen.push((await next()) ?? {});
    expect(seen.at(-1)?.params?.result).toMatchObject({ content: [{ type: 'text', text: 'done' }] });
    const { _meta, ...told } = seen.at(-1)?.params ?? {};
    expect((await ask(server, 'tasks/get', { taskId })).result).toMatchObject(told);
  });

  it('come beside those of changes, and show no other name of the task', async () => {
    await using server = make(stuck);
    server.addResource('memo://a', { name: 'A', content: 'one' });
    const taskId = await start(server, 'stuck');
    const filter = { taskIds: [taskId], resourceSubscriptions: ['memo://a'], toolsListChanged: true };
    const next = messages(await listen(server, filter));
    expect((await next())?.params?.notifications).toEqual(filter);
    expect((await next())?.params?.status).toBe('working');
    server.addResource('memo://a', { name: 'A', content: 'two' }).removeTool('none').removeTool('stuck');
    const methods = [await next(), await next()].map((message) => message?.method);
    expect(methods).toContain('notifications/resources/updated');
    expect(methods).toContain('notifications/tools/list_changed');
    await ask(server, 'tasks/cancel', { taskId });
    expect(await next()).toMatchObject({ method: 'notifications/tasks', params: { status: 'cancelled' } });
  });

  it('are for the principal alone whose task it is', async () => {
    await using server = make(stuck);
    const taskId = await start(server, 'stuck', { id: 'ann' });
    const next = messages(await listen(server, { taskIds: [taskId, 'none', 5] }, { id: 'bob' }));
    expect((await next())?.params?.notifications).toEqual({});
    expect(await next()).toMatchObject({ result: { resultType: 'complete' } });
    expect(await next()).toBeUndefined();
  });

  it('are refused where the client does not declare that it knows tasks', async () => {
    await using server = make(stuck);
    const taskId = await start(server, 'stuck');
    const { status, error } = await ask(
      server,
      'subscriptions/listen',
      { notifications: { taskIds: [taskId] } },
      { capabilities: {} },
    );
    expect([status, error?.code]).toEqual([400, -32021]);
    expect(error?.data).toEqual({ requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } });
  });

  it('of progress come a few times a second, however often a tool tells it, and end with the last', async () => {
    await using server = make(working);
    const taskId = await start(server, 'working');
    const next = messages(await listen(server, { taskIds: [taskId] }));
    await ask(server, 'tasks/update', { taskId, inputResponses: steps(5_000) });
    let count = 0;
    let last: Message | undefined;
    while (last?.params?.status !== 'completed') {
      last = await next();
      count += 1;
    }
    const took = Date.parse(String((last.params as { lastUpdatedAt?: string }).lastUpdatedAt)) - Date.now();
    expect(count).toBeLessThan(20 + Math.abs(took) / 50);
  });

  it('end with the server, which says how the task ended', async () => {
    const server = make(stuck);
    const taskId = await start(server, 'stuck');
    const next = messages(await listen(server, { taskIds: [taskId] }));
    await next();
    await next();
    const closing = server.close({ timeoutMs: 200 });
    expect(await next()).toMatchObject({ params: { taskId, status: 'cancelled' } });
    expect(await next()).toMatchObject({ result: { resultType: 'complete' } });
    await closing;
  });

  it('come over stdio, where one connection carries all of it', async () => {
    const child = spawn(process.execPath, fixture('task-server.ts'), { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(child, 'close');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const say = (id: number, method: string, params: Readonly<Record<string, unknown>>, capabilities?: object): void =>
      void child.stdin.write(
        `${JSON.stringify({ jsonrpc: '2.0', id, method, params: modern(params, capabilities) })}\n`,
      );
    const hear = async (): Promise<Message> => JSON.parse(String((await lines.next()).value)) as Message;
    say(1, 'tools/call', { name: 'asking', arguments: {} });
    const { taskId } = (await hear()).result as { taskId: string };
    say(2, 'subscriptions/listen', { notifications: { taskIds: [taskId] } }, {});
    expect(await hear()).toMatchObject({ id: 2, error: { code: -32021 } });
    say(3, 'subscriptions/listen', { notifications: { taskIds: [taskId] } });
    expect(await hear()).toMatchObject({ params: { notifications: { taskIds: [taskId] } } });
    expect(await hear()).toMatchObject({ method: 'notifications/tasks', params: { taskId, status: 'input_required' } });
    say(4, 'tasks/update', { taskId, inputResponses: { ok: { action: 'accept', content: { ok: true } } } });
    const heard: Message[] = [];
    while (heard.at(-1)?.params?.status !== 'completed') heard.push(await hear());
    expect(heard.some(({ id }) => id === 4)).toBe(true);
    child.stdin.end();
    await ended;
  });
});
