import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it } from 'vitest';
import { fixture } from './support/child.js';
import { waitUntil } from './support/wait-until.js';

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};

function start(
  name: string,
  args: readonly string[] = [],
): { readonly child: ChildProcess; readonly output: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, [...fixture(name), ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, output };
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
}

describe('a server over stdio', () => {
  it.each([
    ['legacy', '2025-11-25'],
    ['auto', '2026-07-28'],
  ] as const)('serves the official client (%s: %s)', async (mode, version) => {
    const client = new Client({ name: 'raw', version: '1' }, { versionNegotiation: { mode } });
    const args = fixture('demo-server.ts');
    await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'ignore' }));
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('add');
    const answer = await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
    expect(answer.structuredContent).toEqual({ sum: 3 });
    expect(await client.callTool({ name: 'add', arguments: { a: 'x' } })).toMatchObject({ isError: true });
    expect(await client.callTool({ name: 'chatty' })).toMatchObject({ content: [{ text: 'printed' }] });
    await client.close();
  });

  it('keeps stdout for the protocol: what a tool prints goes to stderr', async () => {
    const { child, output } = start('demo-server.ts');
    const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'chatty' } };
    child.stdin?.write(`${JSON.stringify(initialize)}\n${JSON.stringify(call)}\n`);
    await waitUntil(() => output.stdout.includes('printed'), 'the tool answered');
    for (const line of output.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
    expect(output.stderr).toContain('stray console.log');
    expect(output.stderr).toContain('stray process.stdout.write');
    child.stdin?.end();
    expect(await exitCode(child)).toBe(0);
  });

  it('answers what came before a line that is not JSON, and after it', async () => {
    const { child, output } = start('demo-server.ts');
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    child.stdin?.write(`not json\n${JSON.stringify(initialize)}\n{"half":\n${JSON.stringify(list)}\n`);
    await waitUntil(() => output.stdout.includes('"id":2'), 'the list came');
    child.stdin?.end();
    expect(await exitCode(child)).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends by itself with code 0 on %s', async (signal) => {
    const { child, output } = start('demo-server.ts');
    child.stdin?.write(`${JSON.stringify(initialize)}\n`);
    await waitUntil(() => output.stdout.includes('"id":1'), 'the server runs');
    child.kill(signal);
    expect(await exitCode(child)).toBe(0);
    expect(child.signalCode).toBeNull();
  });

  it('minds a signal that comes while it is still being made', async () => {
    const { child, output } = start('slow-server.ts');
    await waitUntil(() => output.stderr.includes('making'), 'it is being made');
    child.kill('SIGTERM');
    expect(await exitCode(child)).toBe(0);
    expect(output.stderr).toBe('making\ncleaned up\n');
  });

  it('gives stdout and its listeners back when it closes', async () => {
    const { child, output } = start('restore-stdout.ts');
    child.stdin?.end();
    expect(await exitCode(child)).toBe(0);
    expect(output.stdout).toBe('stdout is back\n');
    expect(JSON.parse(output.stderr)).toEqual({ sameWrite: true, signalListeners: 0, leftListeners: 0 });
  });

  it('that cannot be made says why in one line, and exits with 1', async () => {
    const { child, output } = start('broken-server.ts');
    expect(await exitCode(child)).toBe(1);
    expect(output.stdout).toBe('');
    expect(output.stderr).toMatch(/^Two tools are named 'a': .+\n$/);
  });

  it('leaves nothing behind that keeps a process alive, and no listener on a lasting signal', async () => {
    const { child, output } = start('clean-exit.ts', fixture('demo-server.ts'));
    expect(await exitCode(child)).toBe(0);
    expect(JSON.parse(output.stdout)).toEqual({ listeners: 0 });
  });

  it('is one per process', async () => {
    const { child, output } = start('two-servers.ts');
    child.stdin?.end();
    await exitCode(child);
    expect(output.stderr).toContain('stdio serves one MCP server at a time');
  });
});
