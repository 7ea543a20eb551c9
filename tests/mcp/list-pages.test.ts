import { definePrompt, defineTool, MCPServer } from '@safla/sdk/mcp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ask } from './support/ask.js';

const tool = (name: string): ReturnType<typeof defineTool> => defineTool({ name, description: name }, () => name);
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index + 1}`);
const make = (pageSize?: number, tools = names(5).map(tool)): MCPServer =>
  new MCPServer({ name: 's', version: '1', tools, limiter: false, ...(pageSize === undefined ? {} : { pageSize }) });

interface Page {
  readonly shown: readonly string[];
  readonly next: string | undefined;
}

async function page(server: MCPServer, cursor?: string, method = 'tools/list', key = 'tools'): Promise<Page> {
  const { result } = await ask(server, method, cursor === undefined ? {} : { cursor });
  const items = result?.[key] as readonly { readonly name: string }[];
  return { shown: items.map(({ name }) => name), next: result?.nextCursor };
}

/** All pages from here on. */
async function rest(server: MCPServer, cursor?: string): Promise<string[]> {
  const { shown, next } = await page(server, cursor);
  return next === undefined ? [...shown] : [...shown, ...(await rest(server, next))];
}

describe('lists', () => {
  it('come in one answer unless a size is given', async () => {
    await using server = make(undefined, names(300).map(tool));
    expect(await page(server)).toMatchObject({ shown: { length: 300 }, next: undefined });
  });

  it('come in pages of that size, the last one without a cursor', async () => {
    await using server = make(2);
    const first = await page(server);
    const second = await page(server, first.next);
    const third = await page(server, second.next);
    expect([first.shown, second.shown, third.shown]).toEqual([['t1', 't2'], ['t3', 't4'], ['t5']]);
    expect(third.next).toBeUndefined();
    await using whole = make(5);
    expect((await page(whole)).next).toBeUndefined();
  });

  it('go on where they were when things come and go between two pages', async () => {
    await using server = make(2);
    const { next } = await page(server);
    server.removeTool('t2').removeTool('t1').removeTool('t4').addTool(tool('t2')).addTool(tool('t6'));
    expect(await rest(server, next)).toEqual(['t3', 't5', 't2', 't6']);
  });

  it('show nothing twice and leave nothing out that stays, however they change', async () => {
    const change = fc.tuple(fc.constantFrom('add', 'remove'), fc.nat({ max: 9 }));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(change, { maxLength: 12 }), async (size, changes) => {
        await using server = make(size, names(6).map(tool));
        const seen: string[] = [];
        const gone = new Set<string>();
        let cursor: string | undefined;
        do {
          const { shown, next } = await page(server, cursor);
          seen.push(...shown);
          cursor = next;
          const [kind, nth] = changes.shift() ?? [];
          if (kind === 'remove') {
            server.removeTool(`t${nth}`);
            gone.add(`t${nth}`);
          }
          if (kind === 'add') server.addTool(tool(`new${seen.length}-${changes.length}`));
        } while (cursor !== undefined);
        expect(new Set(seen).size).toBe(seen.length);
        for (const name of names(6)) if (!gone.has(name)) expect(seen).toContain(name);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['prompts/list', 'prompts'],
    ['resources/list', 'resources'],
    ['resources/templates/list', 'resourceTemplates'],
  ])('%s comes in pages as well', async (method, key) => {
    await using server = make(1);
    for (const name of ['a', 'b']) {
      server.addPrompt(definePrompt({ name }, () => name));
      server.addResource(`memo://${name}`, { name, content: name });
      server.addResourceTemplate({ uriTemplate: `memo://${name}/{id}`, name, content: () => name });
    }
    const first = await page(server, undefined, method, key);
    expect([first.shown, (await page(server, first.next, method, key)).shown]).toEqual([['a'], ['b']]);
  });

  it('refuse a cursor that they did not give', async () => {
    await using server = make(2);
    const { next = '' } = await page(server);
    const wrong = ['', 'x', `${next}=`, Buffer.from('tools:0').toString('base64url'), next.toUpperCase()];
    for (const cursor of wrong) expect((await ask(server, 'tools/list', { cursor })).error?.code).toBe(-32602);
    expect((await ask(server, 'prompts/list', { cursor: next })).error?.message).toContain('Invalid cursor');
  });

  it('reach clients of every era whole', async () => {
    await using server = make(2);
    await using client = await server.connectInMemory();
    expect((await client.listTools()).map(({ name }) => name)).toEqual(names(5));
  });
});
