import { setTimeout as sleep } from 'node:timers/promises';
import { defineTool, MCPServer, type Tool, type ToolContext, ToolError } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { currentContext, openScope, ProtocolError, withContext } from '../../src/core/index.js';
import { recordingLogger } from './support/recording-logger.js';
import { waitUntil } from './support/wait-until.js';

const define = (handler: (args: Record<string, unknown>, context: ToolContext) => unknown, timeoutMs?: number): Tool =>
  defineTool({ name: 'work', description: 'Work', ...(timeoutMs ? { timeoutMs } : {}) }, handler);

describe('a tool that fails', () => {
  it('lets only the text of a ToolError reach the client', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [
        define(() => {
          throw new ToolError('order 7 was refunded before');
        }),
      ],
    });
    await using client = await server.connectInMemory();
    expect(await client.callTool('work')).toMatchObject({ isError: true, text: 'order 7 was refunded before' });
  });

  it.each([
    ['an error with a secret', new Error('connect postgres://root:hunter2@db failed')],
    ['an error of this SDK', new ProtocolError('canary-text')],
    ['a text', 'canary-text'],
    ['null', null],
  ])('that throws %s gives the client a reference, and the log the rest', async (_, thrown) => {
    const { logger, records } = recordingLogger();
    const tool = define(() => {
      throw thrown;
    });
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool], telemetry: { logger } });
    await using client = await server.connectInMemory();
    const answer = await client.callTool('work');
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(/^Tool 'work' failed\. Reference: [\w-]{36}$/);
    expect(JSON.stringify(answer)).not.toMatch(/hunter2|canary/);
    const reference = answer.text.split(': ')[1];
    expect(records).toContainEqual(
      expect.objectContaining({ level: 'error', facts: expect.objectContaining({ correlationId: reference }) }),
    );
    expect(JSON.stringify(records)).not.toContain('hunter2');
  });
});

describe('the context of a call', () => {
  it('carries the client correlation id to the handler and back', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [define((_, { correlationId }) => ({ correlationId, flowing: currentContext().correlationId }))],
    });
    await using client = await server.connectInMemory();
    const answer = await withContext({ correlationId: 'order-42' }, () => client.callTool('work'));
    expect(answer.structuredContent).toEqual({ correlationId: 'order-42', flowing: 'order-42' });
    expect(answer._meta).toMatchObject({ 'safla/correlationId': 'order-42' });
  });

  it('replaces a correlation id that is not fit for logs', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [define((_, context) => context.correlationId)],
    });
    await using client = await server.connectInMemory();
    const answer = await withContext({ correlationId: 'a\nb' }, () => client.callTool('work'));
    expect(answer.text).toMatch(/^[\w-]{36}$/);
  });

  it('aborts its signal, and what the handler awaits, soon after the client cancels', async () => {
    let seen: { readonly after: () => number; readonly reason: unknown } | undefined;
    let running = false;
    let cancelled = 0;
    const tool = define(async (_, { signal }) => {
      signal.addEventListener('abort', () => {
        const at = performance.now();
        seen = { after: () => at - cancelled, reason: signal.reason };
      });
      running = true;
      using scope = openScope('work that was given no signal');
      await scope.sleep(60_000);
    });
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
    await using client = await server.connectInMemory();
    const abort = new AbortController();
    const call = client.callTool('work', {}, { signal: abort.signal });
    call.catch(() => undefined);
    await waitUntil(() => running, 'the tool runs');
    cancelled = performance.now();
    const reason = new Error('the user left');
    abort.abort(reason);
    await expect(call).rejects.toBe(reason);
    await waitUntil(() => seen !== undefined, 'the handler saw it');
    expect(seen?.after()).toBeLessThan(1_000);
  });

  it('ends a tool that hangs when its own time is over, and says so', async () => {
    let reason: unknown;
    const tool = define(async (_, { signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      await new Promise(() => undefined);
    }, 50);
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
    await using client = await server.connectInMemory();
    const answer = await client.callTool('work');
    expect(answer).toMatchObject({ isError: true, text: "Tool 'work' did not finish within 50 ms" });
    expect(reason).toMatchObject({ code: 'TIMEOUT' });
  });

  it('keeps the text of a time-out below the tool on the server', async () => {
    const tool = define(async () => {
      using scope = openScope('GET http://internal.example/secret-path', { timeoutMs: 20 });
      await scope.sleep(60_000);
    }, 30_000);
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
    await using client = await server.connectInMemory();
    expect((await client.callTool('work')).text).toMatch(/^Tool 'work' failed\. Reference/);
  });

  it('tells progress only as it grows, and logs with secrets masked', async () => {
    const tool = define(async (_, context) => {
      await context.progress(1, 3, 'first');
      await context.progress(1, 3);
      await context.progress(Number.NaN);
      await context.progress(3, 3);
      return 'done';
    });
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
    await using client = await server.connectInMemory();
    const told: unknown[] = [];
    await client.callTool('work', {}, { onProgress: (progress) => told.push(progress) });
    expect(told).toEqual([
      { progress: 1, total: 3, message: 'first' },
      { progress: 3, total: 3 },
    ]);
    expect((await client.callTool('work')).text).toBe('done');
  });
});

describe('middleware', () => {
  it('stands around calls in order, may change, answer and refuse them', async () => {
    const order: string[] = [];
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [define((args) => args)],
      use: [
        async (call, next) => {
          order.push('outer');
          if (call.arguments?.forbidden) throw new ToolError('not today');
          const answer = await next();
          order.push('outer again');
          return answer;
        },
        async (call, next) => {
          order.push('inner');
          return call.arguments?.cached
            ? { content: [{ type: 'text', text: 'cached' }] }
            : next({ ...call, arguments: { a: 2 } });
        },
      ],
    });
    await using client = await server.connectInMemory();
    expect((await client.callTool('work', { a: 1 })).structuredContent).toEqual({ a: 2 });
    expect(order).toEqual(['outer', 'inner', 'outer again']);
    expect((await client.callTool('work', { cached: true })).text).toBe('cached');
    expect(await client.callTool('work', { forbidden: true })).toMatchObject({ isError: true, text: 'not today' });
  });
});

describe('closing a server', () => {
  it('lets a running call finish', async () => {
    const server = new MCPServer({ name: 's', version: '1', tools: [define(() => sleep(100, 'finished'))] });
    await using client = await server.connectInMemory();
    const call = client.callTool('work');
    await sleep(20);
    await server.close();
    expect((await call).text).toBe('finished');
  });

  it('cancels a call that does not finish by the deadline', async () => {
    let reason: unknown;
    let running = false;
    const hang = define(async (_, { signal }) => {
      running = true;
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          resolve();
        });
      });
    });
    const server = new MCPServer({ name: 's', version: '1', tools: [hang] });
    await using client = await server.connectInMemory();
    const call = client.callTool('work');
    call.catch(() => undefined);
    await waitUntil(() => running, 'the tool runs');
    await server.close({ timeoutMs: 100 });
    await expect(call).rejects.toThrow();
    expect(reason).toMatchObject({ code: 'CLOSED' });
  });

  it('refuses everything afterwards and reports itself closed', async () => {
    const server = new MCPServer({ name: 's', version: '1' });
    await server.close();
    await server.close();
    await server.closed;
    await expect(server.connectInMemory()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(server.listen()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(server.start()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
