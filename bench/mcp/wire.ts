import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';

/** Calls the tool once over a wire, written by hand so that clients cost all variants the same: nothing. */
export type WireCall = (index: number) => Promise<void>;

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const initialize = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
};
const message = (id: number, modern: boolean): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'add', arguments: { a: id, b: 1 }, ...(modern ? { _meta: envelope } : {}) },
  });

/** JSON-RPC by lines. */
export async function overStdio(child: ChildProcess, modern: boolean): Promise<WireCall> {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('The child has no pipes');
  let resolve: (line: string) => void = () => undefined;
  createInterface(stdout).on('line', (line) => resolve(line));
  const exchange = (text: string): Promise<string> =>
    new Promise((done) => {
      resolve = done;
      stdin.write(`${text}\n`);
    });
  if (!modern) {
    await exchange(JSON.stringify(initialize));
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  }
  return async (index) => check(await exchange(message(index + 1, modern)), index);
}

/** Streamable HTTP: 2026-07-28, or 2025-11-25 with the session that the server gives, if it gives one. */
export async function overHTTP(url: string, modern: boolean): Promise<WireCall> {
  const dispatcher = new Agent({ connections: 1 });
  const version = modern ? '2026-07-28' : '2025-11-25';
  const post = async (body: string, extra: Record<string, string>): Promise<{ text: string; session: string }> => {
    const answer = await request(url, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...extra },
      body,
    });
    return { text: await answer.body.text(), session: String(answer.headers['mcp-session-id'] ?? '') };
  };
  const headers: Record<string, string> = { 'mcp-protocol-version': version };
  if (modern) Object.assign(headers, { 'mcp-method': 'tools/call', 'mcp-name': 'add' });
  else {
    const { session } = await post(JSON.stringify(initialize), {});
    if (session) headers['mcp-session-id'] = session;
  }
  return async (index) => check((await post(message(index + 1, modern), headers)).text, index);
}

function check(text: string, index: number): void {
  if (!text.includes(`{\\"sum\\":${index + 2}}`)) throw new Error(`Call ${index} got ${text.slice(0, 500)}`);
}
