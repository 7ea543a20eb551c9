import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, ConnectionError } from '@safla/sdk/core';
import { IntegrationTestFramework, TestContainer } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { run } from '../../scripts/run.js';
import { MongoEmulator } from '../support/mongo-emulator/mongo-emulator.js';

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** Runs the suites of `mutants.suite.ts` in a process of their own: for each target, its tests by their outcome. */
async function outcomes(): Promise<Map<string, Map<string, string[]>>> {
  const folder = await mkdtemp(join(tmpdir(), 'safla-report-'));
  try {
    const file = join(folder, 'report.json');
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', fixture('vitest.config.ts')];
    const { output } = await run(process.execPath, [...args, '--reporter=json', `--outputFile=${file}`], { cwd: root });
    const text = await readFile(file, 'utf8').catch(() => Promise.reject(new Error(output)));
    const targets = new Map<string, Map<string, string[]>>();
    for (const { ancestorTitles, title, status } of (JSON.parse(text) as Report).testResults.flatMap(
      (result) => result.assertionResults,
    )) {
      const target = ancestorTitles.at(-1) ?? '';
      const byStatus = targets.get(target) ?? new Map<string, string[]>();
      byStatus.set(status, [...(byStatus.get(status) ?? []), title]);
      targets.set(target, byStatus);
    }
    return targets;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const [list, call, refuse, read] = [
  'should list available tools',
  'should handle tool calls',
  'should refuse wrong tool calls',
  'should list available resources',
];
const [auth, get, post, rate] = [
  'should authenticate successfully',
  'should handle GET requests',
  'should handle POST requests',
  'should handle rate limiting',
];
const [connect, crud, absent, again, clean] = [
  'should connect successfully',
  'should perform CRUD operations',
  'should tell what is not there',
  'should migrate again without a change',
  'should remove only what it made',
];

/** What must fail, and nothing else. A target without entry passes all. */
const failing: Readonly<Record<string, readonly string[]>> = {
  'MCP Server: good': [],
  'MCP Server: good without resources': [],
  'MCP Server: good without tools': [],
  'MCP Server: tool fails for valid arguments': [call],
  'MCP Server: tool takes anything': [refuse],
  'MCP Server: lists no tools': [list],
  'MCP Server: lists what has no content': [read],
  'MCP Server: unknown tools are taken': [refuse],
  'MCP Server: arguments for a tool it does not have': [list],
  'API Integration: good': [],
  'API Integration: good by its own class': [],
  'API Integration: authenticates without asking': [auth],
  'API Integration: answers by itself': [get, rate],
  'API Integration: sends twice': [post],
  'API Integration: loses the data': [post],
  'API Integration: has no limit': [rate],
  'API Integration: limits by failing': [rate],
  'API Integration: good elsewhere': [],
  'API Integration: takes any key': [auth],
  'API Integration: takes no key': [auth, get, post, rate],
  'API Integration: fails for POST': [post],
  'Database Integration: good': [],
  'Database Integration: good by its own class': [],
  'Database Integration: is away': [connect],
  'Database Integration: does not store': [crud, again, clean],
  'Database Integration: does not change': [crud],
  'Database Integration: changes what is not there': [absent],
  'Database Integration: always deletes': [absent],
  'Database Integration: never deletes': [crud, absent],
  'Database Integration: finds something else': [crud, absent],
  'Database Integration: does not clean up': [clean],
  'Database Integration: fails untyped': [absent],
  'Database Integration: good documents': [],
  'Database Integration: documents: does not clean up': [clean],
  'Database Integration: documents: does not store': [crud, again, clean],
  'Database Integration: documents: always deletes': [absent],
};

/** Their tests cannot even begin. */
const unreachable = ['MCP Server: does not start', 'Database Integration: nobody is there'];

describe('IntegrationTestFramework', () => {
  it('passes good targets and fails broken ones, each in the test that is about it', { timeout: 180_000 }, async () => {
    const found = await outcomes();
    expect([...found.keys()].sort()).toEqual([...Object.keys(failing), ...unreachable].sort());
    const failed = Object.fromEntries([...found].map(([target, by]) => [target, by.get('failed') ?? []]));
    expect(failed).toMatchObject(failing);
    for (const target of unreachable) expect(found.get(target)?.get('passed')).toBeUndefined();
    for (const target of Object.keys(failing)) expect([...(found.get(target)?.keys() ?? [])]).not.toContain('skipped');
    expect(Object.values(failed).flat()).toHaveLength(37);
  });

  it('registers with node:test', { timeout: 120_000 }, async () => {
    const args = ['--import', 'tsx', '--test-reporter=tap', fixture('framework.node-test.ts')];
    const { output } = await run(process.execPath, args, { cwd: root });
    expect(output).toContain('# tests 12');
    expect(output).toContain('# fail 1');
    expect(output).toMatch(/not ok 2 - should handle tool calls/);
  });

  it('says where a runner comes from when there is none', () => {
    const framework = new IntegrationTestFramework();
    expect(() => framework.createMCPServerTest('x', './server.js')).toThrow(ConfigurationError);
    expect(() => framework.createAPIIntegrationTest('x')).toThrow('@safla/sdk/testing/vitest');
    const runner = { describe: () => undefined, it: () => undefined };
    expect(() => new IntegrationTestFramework({ runner }).createDatabaseIntegrationTest('x')).toThrow('beforeAll');
  });

  it('refuses unknown options', () => {
    expect(() => new IntegrationTestFramework({ sevices: {} } as object)).toThrow("did you mean 'services'");
  });

  it('can be torn down without a setup, and twice', async () => {
    const framework = new IntegrationTestFramework();
    await framework.teardown();
    await framework.setup();
    await framework.teardown();
    await framework.teardown();
  });
});

describe('what a TestContainer makes', () => {
  it('starts an MCP server from a file, and ends it with the container', async () => {
    const services = new TestContainer();
    const server = await services.startMCPServer('examples/servers/custom-mcp-server.ts');
    const { tools } = await server.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['custom_analysis']);
    await expect(
      server.callTool('custom_analysis', { data: '1,2,3', analysisType: 'statistical' }),
    ).resolves.toMatchObject({ isError: false });
    expect((await server.listResources()).resources).toEqual([]);
    await services.stop();
    await expect(server.listTools()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('says what a program printed that is no MCP server', async () => {
    await using services = new TestContainer();
    const target = { command: process.execPath, args: ['-e', 'console.error("no such order"); process.exit(4)'] };
    const error = await services.startMCPServer(target).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).toContain('no such order');
    await expect(services.startMCPServer('')).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('makes an API integration over a server that wants its key', async () => {
    await using services = new TestContainer();
    const api = await services.createAPIIntegration();
    await expect(api.authenticate()).resolves.toEqual({ success: true });
    await expect(api.post('/orders', { id: 7 })).resolves.toEqual({ method: 'POST', body: '{"id":7}' });
    await services.stop();
    await expect(api.get('/orders')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('makes a database integration in a schema of its own', async () => {
    await using services = new TestContainer({ postgres: { kinds: ['environment', 'system', 'package'] } });
    const [one, two] = [await services.createDatabaseIntegration(), await services.createDatabaseIntegration()];
    await Promise.all([one.migrate(), two.migrate()]);
    const { id } = await one.create('test_table', { name: 'mine' });
    expect(await two.findById('test_table', Number(id))).toBeNull();
    await one.cleanup();
    await expect(two.create('test_table', { name: 'theirs' })).resolves.toMatchObject({ name: 'theirs' });
    await two.cleanup();
  });

  it('makes one for documents: on a server that it finds by itself, or that a URL names (emulator)', async () => {
    await using emulator = await MongoEmulator.start();
    await using services = new TestContainer({ environment: { MONGODB_URL: emulator.url('any') } });
    const one = await services.createDatabaseIntegration({ type: 'mongodb' });
    const two = await services.createDatabaseIntegration({ url: emulator.url('any') });
    expect(services.mongodb.kind).toBe('environment');
    await Promise.all([one.migrate(), two.migrate()]);
    const { id } = await one.create('test_table', { name: 'mine' });
    expect(await one.findById('test_table', String(id))).toMatchObject({ name: 'mine' });
    expect(await two.findById('test_table', String(id))).toBeNull();
    await one.cleanup();
    expect(await one.findById('test_table', String(id))).toBeNull();
  });

  it('refuses wrong settings, by name', async () => {
    await using services = new TestContainer();
    await expect(services.createAPIIntegration({ baseURL: 'ftp://x' })).rejects.toThrow('createAPIIntegration.baseURL');
    await expect(services.createAPIIntegration({ rateLimit: { requests: 0, perMs: 1 } })).rejects.toThrow('requests');
    await expect(services.createDatabaseIntegration({ url: 'mysql://x' })).rejects.toThrow(
      'createDatabaseIntegration.url',
    );
    await expect(services.createDatabaseIntegration({ type: 'mongodb', url: 'postgres://h/d' })).rejects.toThrow(
      "createDatabaseIntegration.type is 'mongodb'",
    );
    await expect(services.createDatabaseIntegration({ typ: 'postgres' } as object)).rejects.toThrow(
      "did you mean 'type'",
    );
  });
});
