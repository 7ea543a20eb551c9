import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { fixture } from './support/child.js';

interface Message {
  readonly id?: number;
  readonly params?: { readonly level?: string; readonly data?: Readonly<Record<string, unknown>> };
}

/** What a server over stdio says until it has answered the last of the messages. */
async function answersTo(messages: readonly object[]): Promise<Message[]> {
  const child = spawn(process.execPath, fixture('logging-server.ts'), { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = once(child, 'close');
  const said: Message[] = [];
  const last = messages.findLast((message) => 'id' in message) as { readonly id: number };
  for (const message of messages) child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  for await (const line of createInterface(child.stdout)) {
    const message = JSON.parse(line) as Message;
    said.push(message);
    if (message.id === last.id) child.stdin.end();
  }
  await ended;
  return said;
}

const levels = (messages: readonly Message[]): unknown[] => messages.flatMap(({ params }) => params?.level ?? []);

describe('what a tool logs to its client', () => {
  const info = { name: 'raw', version: '1' };
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: info };
  const initialize = { id: 1, method: 'initialize', params: hello };
  const call = { id: 3, method: 'tools/call', params: { name: 'tell' } };
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': info,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const modern = (logLevel: object) => ({ ...call, params: { ...call.params, _meta: { ...envelope, ...logLevel } } });

  it('goes to a client before 2026-07-28 at all levels, without secrets', async () => {
    const said = await answersTo([initialize, call]);
    expect(levels(said)).toEqual(['debug', 'warning', 'error']);
    expect(JSON.stringify(said)).not.toContain('canary');
  });

  it('goes to such a client from the level on that it has set', async () => {
    const setLevel = { id: 2, method: 'logging/setLevel', params: { level: 'warning' } };
    expect(levels(await answersTo([initialize, setLevel, call]))).toEqual(['warning', 'error']);
  });

  it('goes to a client of 2026-07-28 from the level on that its request names', async () => {
    const said = await answersTo([modern({ 'io.modelcontextprotocol/logLevel': 'error' })]);
    expect(levels(said)).toEqual(['error']);
  });

  it('goes to no client of 2026-07-28 whose request names none', async () => {
    expect(levels(await answersTo([modern({})]))).toEqual([]);
  });
});
