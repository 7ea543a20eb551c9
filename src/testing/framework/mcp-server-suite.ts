import assert from 'node:assert/strict';
import { SaflaError } from '../../core/index.js';
import type { ToolAnswer, ToolInfo } from '../../mcp/index.js';
import type { JSONSchema } from '../schema/json-schema.js';
import { type Counterexample, schemaCounterexamples } from '../schema/schema-counterexamples.js';
import { schemaExample } from '../schema/schema-example.js';
import type { Suite } from './suite-runner.js';
import type { StartMCPServerOptions, TestMCPServer } from './test-mcp-server.js';

/** What is known about a server beside its address. */
export interface MCPServerTestOptions extends StartMCPServerOptions {
  /**
   * Arguments to call a tool with, where those generated from its schema would not do; `false` leaves the
   * tool out. A tool that declares `destructiveHint` is called only when it is named here.
   */
  readonly arguments?: Readonly<Record<string, Readonly<Record<string, unknown>> | false>>;
  /** False for a server that offers none on purpose. @default true */
  readonly tools?: boolean;
}

type Arguments = Readonly<Record<string, unknown>>;

/** The tests of one MCP server. `start` is called before them, `stop` after them. */
export function mcpServerSuite(
  suite: Suite,
  name: string,
  options: MCPServerTestOptions,
  start: () => Promise<TestMCPServer>,
  stop: (server: TestMCPServer) => Promise<void>,
): void {
  suite.describe(`MCP Server: ${name}`, () => {
    let started: TestMCPServer | undefined;
    const server = (): TestMCPServer => {
      assert.ok(started, 'the server did not start');
      return started;
    };
    suite.beforeAll(async () => {
      started = await start();
    });
    suite.afterAll(async () => {
      if (started) await stop(started);
    });
    suite.it('should list available tools', () => listsTools(server(), options));
    suite.it('should handle tool calls', () => handlesCalls(server(), options));
    suite.it('should refuse wrong tool calls', () => refusesWrongCalls(server(), options));
    suite.it('should list available resources', () => listsResources(server()));
  });
}

async function listsTools(server: TestMCPServer, options: MCPServerTestOptions): Promise<void> {
  const { tools } = await server.listTools();
  assert.ok(Array.isArray(tools), 'tools/list must give a list');
  if (options.tools === false) assert.equal(tools.length, 0, 'a server without tools must list none');
  else assert.ok(tools.length > 0, 'the server lists no tools; when that is meant, give { tools: false }');
  const names = tools.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, `tools must have different names: ${names.join(', ')}`);
  for (const { name, inputSchema } of tools)
    assert.equal(inputSchema?.type, 'object', `the input schema of '${name}' must be of type object`);
  const unknown = Object.keys(options.arguments ?? {}).filter((known) => !names.includes(known));
  assert.deepEqual(unknown, [], 'there are arguments for tools that the server does not list');
}

async function handlesCalls(server: TestMCPServer, options: MCPServerTestOptions): Promise<void> {
  const { tools } = await server.listTools();
  await each(tools, async (tool) => {
    for (const args of validArguments(tool, options)) {
      const answer = await server.callTool(tool.name, args);
      assert.ok(!answer.isError, `refused valid arguments ${shown(args)}: ${answer.text.slice(0, 300)}`);
      assert.ok(Array.isArray(answer.content), 'the answer must have content');
      if (tool.outputSchema)
        assert.ok(answer.structuredContent !== undefined, 'declares an output schema and gives no structured content');
    }
  });
}

async function refusesWrongCalls(server: TestMCPServer, options: MCPServerTestOptions): Promise<void> {
  const { tools } = await server.listTools();
  const nobody = 'a-tool-that-nobody-has';
  assert.ok(await refuses(server, nobody, {}), `a tool that does not exist must be refused: '${nobody}'`);
  await each(tools, async (tool) => {
    for (const { what, value } of wrongArguments(tool, options))
      assert.ok(await refuses(server, tool.name, value), `accepted wrong arguments: ${what}`);
  });
  const after = await server.listTools();
  assert.equal(after.tools.length, tools.length, 'the server must go on as before after wrong calls');
}

async function listsResources(server: TestMCPServer): Promise<void> {
  const { resources } = await server.listResources();
  assert.ok(Array.isArray(resources), 'resources/list must give a list');
  const uris = resources.map(({ uri }) => uri);
  assert.equal(new Set(uris).size, uris.length, 'resources must have different URIs');
  await each(
    resources.map(({ uri }) => ({ name: uri })),
    async ({ name: uri }) => {
      const { contents } = await server.readResource(uri);
      assert.ok(contents.length > 0, 'is listed and has no content');
    },
  );
}

/** Those that are required, and all that there are. */
function validArguments(tool: ToolInfo, options: MCPServerTestOptions): readonly Arguments[] {
  const given = options.arguments?.[tool.name];
  if (given === false || (given === undefined && tool.annotations?.destructiveHint === true)) return [];
  if (given) return [given];
  const schema = tool.inputSchema as JSONSchema;
  const least = schemaExample(schema) as Arguments;
  const most = schemaExample(schema, { optional: true }) as Arguments;
  return Object.keys(most).length > Object.keys(least).length ? [least, most] : [least];
}

function wrongArguments(tool: ToolInfo, options: MCPServerTestOptions): readonly Counterexample[] {
  const [valid] = validArguments(tool, options);
  return valid ? schemaCounterexamples(tool.inputSchema as JSONSchema, valid) : [];
}

/** True for an answer with `isError` and for an error of the protocol; a server that died is neither. */
async function refuses(server: TestMCPServer, tool: string, args: Arguments): Promise<boolean> {
  let answer: ToolAnswer;
  try {
    answer = await server.callTool(tool, args);
  } catch (error) {
    if (SaflaError.is(error) && (error.code === 'PROTOCOL' || error.code === 'NOT_FOUND')) return true;
    throw error;
  }
  return answer.isError;
}

/** Tells all that is wrong, not only the first. */
async function each<T extends { readonly name: string }>(
  items: readonly T[],
  check: (item: T) => Promise<void>,
): Promise<void> {
  const failures: string[] = [];
  for (const item of items) {
    await check(item).catch((error: unknown) => {
      failures.push(`${item.name}: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  assert.ok(failures.length === 0, failures.join('\n'));
}

/** Our own examples hold no secrets; long ones are cut. */
function shown(args: Arguments): string {
  return JSON.stringify(args).slice(0, 300);
}
