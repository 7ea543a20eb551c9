import {
  definePrompt,
  defineTool,
  fromJSONSchema,
  MCPServer,
  type Tool,
  type ToolAnswer,
  ToolError,
} from '@safla/sdk/mcp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigurationError } from '../../src/core/index.js';
import { toToolResult } from '../../src/mcp/tools/tool-result.js';
import { recordingLogger } from './support/recording-logger.js';

async function call(tool: Tool, args?: Record<string, unknown>): Promise<ToolAnswer> {
  await using server = new MCPServer({ name: 'test', version: '1.0.0', tools: [tool] });
  await using client = await server.connectInMemory();
  return client.callTool(tool.name, args);
}

/** A tool that returns what it is given, whatever that is. */
const returning = (value: unknown): Tool => defineTool({ name: 'give', description: 'Give' }, () => value);

describe('what a tool returns', () => {
  it('sends a text as it is', async () => {
    expect(await call(returning('hello'))).toMatchObject({
      content: [{ type: 'text', text: 'hello' }],
      isError: false,
    });
  });

  it('sends any JSON value as text and as structured content', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (value) => {
        fc.pre(!('content' in value));
        const expected: unknown = JSON.parse(JSON.stringify(value));
        const answer = await call(returning(value));
        expect(answer.structuredContent).toEqual(expected);
        expect(JSON.parse(answer.text)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('sends numbers, lists and null, which are JSON values too', async () => {
    expect((await call(returning(3))).text).toBe('3');
    expect((await call(returning([1, 'a']))).text).toBe('[1,"a"]');
    expect((await call(returning(null))).text).toBe('null');
  });

  it('passes a finished MCP result unchanged', async () => {
    const content = [{ type: 'image' as const, data: 'aGk=', mimeType: 'image/png' }];
    expect(await call(returning({ content }))).toMatchObject({ content, isError: false });
  });

  it('keeps texts apart from what the handler does with them later', async () => {
    const block = { type: 'text', text: 'as it was' };
    const shared = { content: [block] };
    const answer = await call(returning(shared));
    block.text = 'changed';
    shared.content.push(block);
    expect(answer.content).toEqual([{ type: 'text', text: 'as it was' }]);
  });

  it.each([
    ['annotations', { content: [{ type: 'text', text: 'a', annotations: { priority: 1 } }] }],
    ['a mark of failure', { content: [{ type: 'text', text: 'a' }], isError: true }],
    ['a value beside them', { content: [{ type: 'text', text: 'a' }], structuredContent: { a: 1 } }],
  ])('keeps texts with %s as they are', async (_, result) => {
    expect(await call(returning(result))).toMatchObject(result);
  });

  it('counts many small texts as they are sent', async () => {
    const texts = { content: Array.from({ length: 10 }, () => ({ type: 'text', text: '\u0001' })) };
    await using server = new MCPServer({ name: 's', version: '1', tools: [returning(texts)], maxResultBytes: 300 });
    await using client = await server.connectInMemory();
    expect((await client.callTool('give')).text).toMatch(/returned \d+ bytes, more than the 300 allowed/);
  });

  it('does not take a JSON value with a `content` for a finished result', async () => {
    const page = { content: [{ type: 'paragraph' }], title: 'x' };
    expect((await call(returning(page))).structuredContent).toEqual(page);
  });

  it('isolates the answer from later changes of the value', async () => {
    const shared = { list: [1] };
    const answer = await call(returning(shared));
    shared.list.push(2);
    expect(answer.structuredContent).toEqual({ list: [1] });
  });

  const cyclic: Record<string, unknown> = { a: { b: 1 } };
  (cyclic.a as Record<string, unknown>).back = cyclic;

  it.each([
    ['a cycle', cyclic, 'a.back refers back to a value that contains it'],
    ['a BigInt', { items: [{ id: 1n }] }, 'items.0.id is a BigInt'],
    ['undefined', undefined, 'it is undefined'],
    ['a function', () => 1, 'it is a function'],
  ])('says clearly that %s cannot be sent', async (_, value, problem) => {
    const answer = await call(returning(value));
    expect(answer.isError).toBe(true);
    expect(answer.text).toContain(`Tool 'give' returned a value that is not JSON: ${problem}`);
  });

  it.each([
    ['characters that JSON escapes', '\u0001'.repeat(60)],
    ['a value that is sent twice', { a: 'x'.repeat(100) }],
  ])('counts %s as they are sent', async (_, value) => {
    await using server = new MCPServer({ name: 's', version: '1', tools: [returning(value)], maxResultBytes: 250 });
    await using client = await server.connectInMemory();
    expect((await client.callTool('give')).text).toMatch(/returned \d+ bytes, more than the 250 allowed/);
  });

  it('lets exactly those answers pass that take no more than is allowed', () => {
    const texts = fc.array(fc.string({ unit: 'binary' }).map((text) => ({ type: 'text', text })));
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.record({ content: texts }));
    fc.assert(
      fc.property(value, fc.nat({ max: 3_000 }), (returned, maxBytes) => {
        const sent = JSON.stringify(toToolResult(returning(returned), returned, Number.POSITIVE_INFINITY));
        const run = () => JSON.stringify(toToolResult(returning(returned), returned, maxBytes));
        if (Buffer.byteLength(sent) > maxBytes) expect(run).toThrow(ToolError);
        else expect(run()).toBe(sent);
      }),
    );
  });

  it('bounds resources and prompts as well', async () => {
    await using server = new MCPServer({ name: 's', version: '1', maxResultBytes: 100 });
    server.addResource('a:b', { name: 'x', content: 'x'.repeat(200) });
    server.addPrompt(definePrompt({ name: 'p' }, () => 'x'.repeat(200)));
    await using client = await server.connectInMemory();
    await expect(client.readResource('a:b')).rejects.toThrow(/Resource 'a:b' returned \d+ bytes, more than the 100/);
    await expect(client.getPrompt('p')).rejects.toThrow(/Prompt 'p' returned \d+ bytes/);
  });

  it('refuses an answer larger than maxResultBytes', async () => {
    await using server = new MCPServer({
      name: 's',
      version: '1',
      tools: [returning('x'.repeat(101))],
      maxResultBytes: 100,
    });
    await using client = await server.connectInMemory();
    expect(await client.callTool('give')).toMatchObject({
      isError: true,
      text: "Tool 'give' returned 140 bytes, more than the 100 allowed; ask for less",
    });
  });
});

describe('an output schema', () => {
  const output = z.object({ n: z.number(), unit: z.string().default('m') });

  it('is listed, and its defaults reach the client', async () => {
    const tool = defineTool({ name: 'measure', description: 'Measure', output }, () => ({ n: 1 }));
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool] });
    await using client = await server.connectInMemory();
    expect((await client.listTools())[0]?.outputSchema).toMatchObject({ type: 'object', required: ['n', 'unit'] });
    expect((await client.callTool('measure')).structuredContent).toEqual({ n: 1, unit: 'm' });
  });

  it('keeps an answer that breaks it on the server', async () => {
    const { logger, records } = recordingLogger();
    // @ts-expect-error the answer is of the wrong type
    const tool = defineTool({ name: 'measure', description: 'Measure', output }, () => ({ n: 'much' }));
    await using server = new MCPServer({ name: 's', version: '1', tools: [tool], telemetry: { logger } });
    await using client = await server.connectInMemory();
    const answer = await client.callTool('measure');
    expect(answer.text).toMatch(/^Tool 'measure' failed\. Reference: [\w-]+$/);
    expect(JSON.stringify(records)).toContain('does not match the tool');
  });
});

describe('invalid arguments', () => {
  it('name each path and problem, so that a model can mend its call', async () => {
    const input = z.object({ user: z.object({ age: z.number().min(0) }), tags: z.array(z.string()) });
    const tool = defineTool({ name: 'save', description: 'Save', input }, () => 'saved');
    const answer = await call(tool, { user: { age: -1 }, tags: ['a', 2] });
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(/^Invalid arguments for tool 'save':\n- user\.age: .+\n- tags\.1: .+$/);
  });

  it('are found with a schema that came as JSON', async () => {
    const input = fromJSONSchema<{ n: number }>({
      type: 'object',
      properties: { n: { type: 'integer' }, 'a/b': { type: 'string' } },
      required: ['n'],
    });
    const tool = defineTool({ name: 'twice', description: 'Twice', input }, ({ n }) => n * 2);
    expect((await call(tool, { n: 4 })).text).toBe('8');
    expect((await call(tool, { n: 'x' })).text).toBe("Invalid arguments for tool 'twice':\n- n: must be integer");
    expect((await call(tool, {})).text).toContain("must have required property 'n'");
    expect((await call(tool, { n: 1, 'a/b': 1 })).text).toContain('- a/b: must be string');
  });

  it('of ten megabytes are refused by the schema like small ones', async () => {
    const tool = defineTool(
      { name: 'short', description: 'Short', input: z.object({ s: z.string().max(10) }) },
      () => 1,
    );
    const answer = await call(tool, { s: 'x'.repeat(10_000_000) });
    expect(answer.isError).toBe(true);
    expect(answer.text.length).toBeLessThan(200);
  });
});

describe('defineTool', () => {
  const ok = { name: 'ok', description: 'Fine' };

  it.each([
    ['a name with a space', { ...ok, name: 'two words' }, /1 to 128 letters/],
    ['no description', { name: 'ok' }, /description/],
    ['an unknown option', { ...ok, timeout: 5 }, /did you mean 'timeoutMs'/],
    ['a time of 0', { ...ok, timeoutMs: 0 }, /timeoutMs/],
    ['a schema that is none', { ...ok, input: { type: 'object' } }, /fromJSONSchema/],
  ])('refuses %s', (_, definition, message) => {
    const make = (): Tool => defineTool(definition as typeof ok, () => 1);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });

  it('types the arguments by the schema', () => {
    defineTool({ ...ok, input: z.object({ n: z.number(), s: z.string().optional() }) }, ({ n, s }) => {
      const number: number = n;
      const text: string | undefined = s;
      // @ts-expect-error there is no such argument
      const wrong = ({ n, s } as const).missing;
      return [number, text, wrong];
    });
    expect(ToolError).toBeTypeOf('function');
  });
});
