import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { asTask, defineTool, MCPServer, type Tool } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask } from './support/ask.js';

const count = process.env.SAFLA_SOAK === '1' ? 10_000 : 1_500;
const ttlMs = 100;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function used(): Promise<number> {
  for (let turn = 0; turn < 4; turn++) {
    collect();
    await sleep(10);
  }
  return process.memoryUsage().heapUsed;
}

/** What stays of a task, in bytes of heap, once its time is over. */
async function left(tool: Tool): Promise<number> {
  const tasks = { ttlMs, maxTasks: 100_000, maxPerCaller: 100_000 };
  await using server = new MCPServer({ name: 's', version: '1', tools: [asTask(tool)], tasks, limiter: false });
  const begin = async (times: number): Promise<void> => {
    let last: string | undefined;
    for (let index = 0; index < times; index++) {
      const { result } = await ask(server, 'tools/call', { name: tool.name, arguments: {} });
      expect(result?.taskId).toMatch(/^[\w-]+$/);
      last = result?.taskId;
    }
    await sleep(ttlMs * 2);
    expect((await ask(server, 'tasks/get', { taskId: last })).error?.code).toBe(-32602);
  };
  await begin(300);
  const before = await used();
  await begin(count);
  return ((await used()) - before) / count;
}

describe('of a task, less than 1 kB stays after its time', () => {
  const text = 'x'.repeat(4_096);
  const quick = defineTool({ name: 'quick', description: 'Answers' }, () => `${text}${Math.random()}`);
  const stuck = defineTool({ name: 'stuck', description: 'Never answers' }, () => new Promise(() => undefined));
  const asking = defineTool({ name: 'asking', description: 'Asks' }, async (_, context) => {
    await context.progress(1, 2, text);
    const { action } = await context.ask({ message: text, schema: z.object({ ok: z.boolean() }) });
    return action;
  });

  it.each([
    ['that finished', quick],
    ['that was abandoned while it ran', stuck],
    ['that was abandoned with a question', asking],
  ])('%s', { timeout: 600_000 }, async (_, tool) => {
    expect(await left(tool)).toBeLessThan(1_024);
  });
});
