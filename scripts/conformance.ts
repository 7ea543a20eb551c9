/**
 * `npm run conformance`: the official MCP suite against `tests/mcp/conformance-server.ts`, one server
 * for both protocol eras. Fetches the suite, and the Node.js it needs, into `.tmp/conformance`; where
 * they cannot be had it says so. Ends with 1 when a scenario does not pass, whether or not the protocol's
 * requirements count it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root, run } from './run.js';

const suite = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
/** Clients that nobody here wrote. */
const clients = ['@modelcontextprotocol/inspector@0.15', '@modelcontextprotocol/sdk@1.32'];
/** How many scenarios each revision counts; fewer would mean that something was not run. */
const bars: Readonly<Record<string, number>> = { '2025-11-25': 30, '2026-07-28': 37 };
const folder = join(root, '.tmp/conformance');
const modules = join(folder, 'node_modules');

interface Score {
  readonly revision: string;
  readonly passed: number;
  readonly counted: number;
  readonly failed: readonly string[];
  readonly notCounted: readonly string[];
}

const refusal = existsSync(join(modules, '@modelcontextprotocol/inspector')) ? undefined : await fetchSuite();
if (refusal === undefined) await runSuite();
else console.log(`NOT RUN: npm could not fetch ${suite}:\n${refusal}`);

async function runSuite(): Promise<void> {
  await using server = await startServer();
  const scores: Score[] = [];
  for (const revision of Object.keys(bars)) scores.push(await score(revision, server.url));

  console.log('revision   | counted | not counted');
  for (const { revision, passed, counted, notCounted } of scores)
    console.log(`${revision} | ${`${passed}/${counted}`.padEnd(7)} | ${notCounted.join(', ') || 'none'}`);
  for (const { revision, failed } of scores) for (const name of failed) console.log(`FAILED ${revision} ${name}`);
  const below = scores.filter(
    ({ revision, passed, failed, notCounted }) =>
      failed.length > 0 || passed < (bars[revision] ?? 0) || notCounted.some((line) => line.startsWith('✗')),
  );
  if (below.length > 0) process.exitCode = 1;
  for (const [name, works] of await foreignClients(server.url)) {
    console.log(`${works ? 'ok    ' : 'FAILED'} ${name}`);
    if (!works) process.exitCode = 1;
  }
}

/** What npm said when it could not. */
async function fetchSuite(): Promise<string | undefined> {
  mkdirSync(folder, { recursive: true });
  // The suite needs a newer Node.js than the package supports; npm has that as a package.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const { code, output } = await run('npm', ['install', '--no-audit', '--no-fund', 'node@22', suite, ...clients], {
    cwd: folder,
  });
  return code === 0 ? undefined : output;
}

async function startServer(): Promise<AsyncDisposable & { readonly url: string }> {
  const file = join(root, 'tests/mcp/conformance-server.ts');
  const env = { ...process.env, PORT: '0' };
  const child = spawn(process.execPath, ['--import', 'tsx', file], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const [url] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as unknown[];
  if (typeof url !== 'string') throw new Error('The server ended before it listened');
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}

/** Each lists the tools and calls one, at the server above and at one that it starts by itself. */
async function foreignClients(url: string): Promise<(readonly [string, boolean])[]> {
  const stdio = ['node', '--import', 'tsx', 'examples/mcp-server-in-15-lines.ts'];
  const inspector = join(modules, '@modelcontextprotocol/inspector/cli/build/cli.js');
  const inspect = async (name: string, args: readonly string[], expected: string) => {
    const { output } = await run('node', [inspector, '--cli', ...args]);
    return [`MCP Inspector, ${name}`, output.includes(expected)] as const;
  };
  const text = 'This is a simple text response for testing.';
  const call = ['--method', 'tools/call', '--tool-name'];
  const convert = [...call, 'celsius_to_fahrenheit', '--tool-arg', 'celsius=100'];
  return [
    await inspect('HTTP', [url, '--transport', 'http', ...call, 'test_simple_text'], text),
    await inspect('stdio', [...stdio, ...convert], '"fahrenheit": 212'),
    await oldClient(
      'HTTP',
      `new StreamableHTTPClientTransport(new URL(${JSON.stringify(url)}))`,
      'test_simple_text',
      text,
    ),
    await oldClient(
      'stdio',
      `new StdioClientTransport({ command: 'node', args: ${JSON.stringify(stdio.slice(1))}, cwd: ${JSON.stringify(root)} })`,
      'celsius_to_fahrenheit',
      'Invalid arguments',
    ),
  ];
}

async function oldClient(
  name: string,
  transport: string,
  tool: string,
  expected: string,
): Promise<readonly [string, boolean]> {
  const script = `
    import { Client } from '@modelcontextprotocol/sdk/client/index.js';
    import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
    import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
    const client = new Client({ name: 'old', version: '1.0.0' });
    await client.connect(${transport});
    await client.listTools();
    console.log(JSON.stringify(await client.callTool({ name: '${tool}', arguments: {} })));
    await client.close();`;
  const { output, code } = await run('node', ['--input-type=module', '-e', script], { cwd: folder });
  return [`@modelcontextprotocol/sdk 1.32 client, ${name}`, code === 0 && output.includes(expected)];
}

/** Reads the suite's summary: `✓ name: 2 passed, 0 failed`, and below it `✗ name (reason)` for what does not count. */
async function score(revision: string, url: string): Promise<Score> {
  const script = join(modules, '@modelcontextprotocol/conformance/dist/index.js');
  const args = [script, 'server', '--url', url, '--requirements', revision, '-o', join(folder, `out-${revision}`)];
  const { output } = await run(join(modules, 'node/bin/node'), args, { cwd: folder });
  const ran = new Map(
    Array.from(output.matchAll(/^([✓✗]) ([\w-]+): \d+ passed, \d+ failed/gm), ([, mark, name]) => [name, mark === '✓']),
  );
  const spare = Array.from(output.matchAll(/^ {2}([✓✗]) ([\w-]+) \(([\w-]+)\)/gm), ([, mark, name, why]) => {
    ran.delete(name);
    return `${mark} ${name} (${why})`;
  });
  const failed = Array.from(ran).flatMap(([name, passed]) => (passed ? [] : [String(name)]));
  if (ran.size === 0) throw new Error(`The suite said nothing about ${revision}:\n${output}`);
  return { revision, passed: ran.size - failed.length, counted: ran.size, failed, notCounted: spare };
}
