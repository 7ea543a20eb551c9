import { SaflaError, TimeoutError } from '@safla/sdk/core';
import {
  defineTool,
  type MCPAnswers,
  type MCPClient,
  MCPHost,
  MCPServer,
  MCPTaskCanceledError,
  type Progress,
  upstreamTools,
} from '@safla/sdk/mcp';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fixtureServer } from './support/child.js';
import { longServer, type Waiting } from './support/long-server.js';
import { waitUntil } from './support/wait-until.js';

const open: AsyncDisposable[] = [];
const kept = <T extends AsyncDisposable>(owner: T): T => {
  open.push(owner);
  return owner;
};
afterEach(async () => {
  for (const owner of open.splice(0).reverse()) await owner[Symbol.asyncDispose]();
});

const newWaiting = (): Waiting => ({ begun: false, aborted: false, open: () => undefined });
type Caller = Pick<MCPClient, 'callTool' | 'startTask'>;

async function overHTTP(server: MCPServer, answers: MCPAnswers = {}): Promise<MCPHost> {
  const { url } = await kept(server).listen();
  return kept(new MCPHost({ servers: { long: { url } } }, { answers }));
}

const overStdio = (answers: MCPAnswers = {}): MCPHost =>
  kept(new MCPHost({ servers: { long: fixtureServer('long-server.ts') } }, { answers, restart: false }));

const lanes: Record<string, () => Promise<Caller>> = {
  'in memory': async () => kept(await kept(longServer()).connectInMemory()),
  'over HTTP': () => overHTTP(longServer()),
  'over stdio': async () => overStdio(),
};

const failureOf = async (call: Promise<unknown>): Promise<SaflaError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!SaflaError.is(error)) throw new Error(`Expected a SaflaError, got ${String(error)}`);
  return error;
};

describe.each(Object.entries(lanes))('a call that the server makes a task of, %s,', (_, connect) => {
  it('resolves with the answer, and tells how far it is', async () => {
    const client = await connect();
    const heard: Progress[] = [];
    const answer = await client.callTool('echo', { text: 'hi' }, { onProgress: (progress) => heard.push(progress) });
    expect(answer).toMatchObject({ structuredContent: { text: 'hi' }, text: '{"text":"hi"}', isError: false });
    expect(answer).not.toHaveProperty('_meta.safla/task');
    expect(heard.map(({ progress }) => progress)).toEqual(heard.map((_, index) => index + 1));
    expect(heard.map(({ message }) => message).join()).toContain('step');
  });

  it('resolves with isError when the tool failed, and rejects when the call did', async () => {
    const client = await connect();
    expect(await client.callTool('refuse')).toMatchObject({ isError: true, text: 'not today' });
    const failure = await failureOf(client.callTool('roots'));
    expect(failure).toMatchObject({ code: 'PROTOCOL' });
    expect(failure.message).toMatch(/tools\/call 'roots' \(task [\w-]+\) failed with error -32021/);
  });

  it('is not disturbed by a listener that throws', async () => {
    const client = await connect();
    const onProgress = (): void => {
      throw new Error('listener');
    };
    expect((await client.callTool('echo', { text: 'x' }, { onProgress })).isError).toBe(false);
  });

  it('can be started, left, asked for and cancelled', async () => {
    const client = await connect();
    const task = await client.startTask('wait');
    expect(task.taskId).toMatch(/[\w-]{16,}/);
    expect(await task.state()).toMatchObject({ status: 'working', taskId: task.taskId });
    await expect(task.result({ timeoutMs: 200 })).rejects.toThrow(TimeoutError);
    expect(await task.state()).toMatchObject({ status: 'working' });
    await task.cancel();
    const failure = await failureOf(task.result());
    expect(failure).toBeInstanceOf(MCPTaskCanceledError);
    expect(failure).toMatchObject({ code: 'TASK_CANCELED', taskId: task.taskId });
  });
});

describe('a task that nobody waits for any more', () => {
  it.each([
    ['the signal aborts', { signal: AbortSignal.timeout(1) }],
    ['the time is over', { timeoutMs: 150 }],
  ])('is cancelled on the server when %s', async (_, limits) => {
    const waiting = newWaiting();
    const host = await overHTTP(longServer(waiting));
    await host.connect();
    const abort = new AbortController();
    const call = host.callTool('wait', {}, 'signal' in limits ? { signal: abort.signal } : limits);
    call.catch(() => undefined);
    await waitUntil(() => waiting.begun, 'the tool runs');
    await new Promise((resolve) => setTimeout(resolve, 60));
    abort.abort(new Error('enough'));
    await expect(call).rejects.toThrow('signal' in limits ? 'enough' : /within 150 ms/);
    await waitUntil(() => waiting.aborted, 'the tool was cancelled');
  });

  it('is cancelled when an answer to its question fails, and the call rejects with that failure', async () => {
    const answers: MCPAnswers = {
      form: () => {
        throw new Error('the window was closed');
      },
      sample: () => ({ role: 'assistant', content: { type: 'text', text: '' }, model: 'm' }),
    };
    const server = longServer();
    const host = await overHTTP(server, answers);
    await expect(host.callTool('ask')).rejects.toThrow('the window was closed');
    await waitUntil(() => server.stats().ask?.cancelled === 1, 'the tool was cancelled');
  });
});

describe('questions of a task', () => {
  const answers = (asked: unknown[]): MCPAnswers => ({
    form: ({ message, schema, server, signal }) => {
      asked.push({ message, server, aborted: signal.aborted, properties: Object.keys(Object(schema.properties)) });
      return { action: 'accept', content: { n: asked.length } };
    },
    sample: ({ messages }) => ({ role: 'assistant', content: messages[0]?.content ?? [], model: 'm' }),
  });

  it.each([
    ['over HTTP', (given: MCPAnswers) => overHTTP(longServer(), given)],
    ['over stdio', async (given: MCPAnswers) => overStdio(given)],
  ])('are answered %s, each once', async (_, connect) => {
    const asked: unknown[] = [];
    const host = await connect(answers(asked));
    const { text, isError } = await host.callTool('ask');
    expect([isError, text]).toEqual([false, '1: {"type":"text","text":"Say 1"}']);
    expect(asked).toEqual([{ message: 'How many?', server: 'long', aborted: false, properties: ['n'] }]);
  });

  it('are answered when somebody comes back to the task', async () => {
    const server = longServer();
    const asked: unknown[] = [];
    const first = await overHTTP(server, answers(asked));
    const { taskId } = await first.startTask('ask');
    const { url } = await server.listen();
    await using second = new MCPHost({ servers: { again: { url } } }, { answers: answers(asked) });
    const { text } = await second.resumeTask('again', taskId ?? '').result();
    expect(text).toContain('Say 1');
    expect(asked).toHaveLength(1);
  });

  it('are not asked of a client without answers: the tool is told', async () => {
    const host = await overHTTP(longServer());
    const failure = await failureOf(host.callTool('ask'));
    expect(failure.message).toContain('-32021');
  });
});

describe('a task whose server', () => {
  it('dies over stdio, rejects with what became of the process', async () => {
    const failure = await failureOf(overStdio().callTool('exit'));
    expect(failure).toMatchObject({ code: 'CONNECTION' });
    expect(failure.message).toMatch(/MCP server 'long'.*is gone.*was ended by SIGKILL/);
  });

  it('goes away over HTTP for good, rejects after some attempts', async () => {
    const waiting = newWaiting();
    const server = longServer(waiting);
    const host = await overHTTP(server);
    const call = host.callTool('wait');
    call.catch(() => undefined);
    await waitUntil(() => waiting.begun, 'the tool runs');
    await server.close({ timeoutMs: 1 });
    expect(await failureOf(call)).toMatchObject({ code: 'CONNECTION' });
  });

  it('forgets it after its time, rejects with an error that says so', async () => {
    const host = await overHTTP(longServer(undefined, { tasks: { pollIntervalMs: 150, ttlMs: 300 } }));
    const failure = await failureOf(host.callTool('wait'));
    expect(['PROTOCOL', 'TASK_CANCELED']).toContain(failure.code);
    expect(failure.message).toMatch(/forgotten after their ttlMs|was cancelled on the server/);
  });

  it('is one that somebody else cancelled, rejects with MCPTaskCanceledError', async () => {
    const waiting = newWaiting();
    const server = longServer(waiting);
    const host = await overHTTP(server);
    const task = await host.startTask('wait');
    const result = failureOf(task.result());
    await host.resumeTask('long', task.taskId ?? '').cancel();
    expect(await result).toBeInstanceOf(MCPTaskCanceledError);
  });
});

describe('a server that tells of its tasks by itself', () => {
  const rarely = { tasks: { pollIntervalMs: 600_000 } };
  it.each([
    ['in memory', async () => kept(await kept(longServer(undefined, rarely)).connectInMemory())],
    ['over HTTP', () => overHTTP(longServer(undefined, rarely))],
  ])('is not waited for until it would be asked, %s', async (_, connect) => {
    const client = await connect();
    const heard: unknown[] = [];
    const answer = await client.callTool(
      'echo',
      { text: 'soon' },
      { onProgress: ({ message }) => heard.push(message) },
    );
    expect(answer.structuredContent).toEqual({ text: 'soon' });
    expect(heard).toContain('step 1');
  });
});

describe('handles of tasks', () => {
  it('have the answer at once when the server made no task of the call', async () => {
    const echo = defineTool({ name: 'echo', description: 'x', input: z.object({ text: z.string() }) }, (args) => args);
    const plain = new MCPServer({ name: 'plain', version: '1', tools: [echo] });
    const client = kept(await kept(plain).connectInMemory());
    const task = await client.startTask('echo', { text: 'now' });
    expect([task.taskId, await task.state()]).toEqual([undefined, undefined]);
    expect((await task.result()).structuredContent).toEqual({ text: 'now' });
    await task.cancel();
  });

  it('of tasks that a server does not know reject', async () => {
    const host = await overHTTP(longServer());
    const failure = await failureOf(host.resumeTask('long', 'unknown').result());
    expect(failure.message).toContain('There is no such task');
    expect(() => host.resumeTask('lon', 'x')).toThrow("did you mean 'long'");
  });
});

describe('upstreamTools', () => {
  it('wait for tasks of the servers behind', async () => {
    const host = await overHTTP(longServer());
    const gateway = kept(new MCPServer({ name: 'gateway', version: '1', tools: [await upstreamTools(host)] }));
    const client = kept(await gateway.connectInMemory());
    expect((await client.callTool('echo', { text: 'behind' })).structuredContent).toEqual({ text: 'behind' });
  });
});
