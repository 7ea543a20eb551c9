/**
 * A host of MCP servers from a config, as VS Code would write it: asks for consent, shows both servers'
 * tools as one list, and brings back a server that is killed. Waits for a call that the server makes a
 * task of, answers its question, and hears when a resource changes.
 *
 *     npx tsx examples/mcp-host.ts
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { asTask, defineTool, loadMCPConfig, MCPHost, MCPServer } from '@safla/sdk/mcp';
import { z } from 'zod';

// The second server is reached over HTTP, with a key. This process plays it.
const clock = defineTool({ name: 'now', description: 'The time of the other server' }, () => new Date().toISOString());
const alarm = asTask(
  defineTool({ name: 'alarm', description: 'Rings when it is time' }, async (_, context) => {
    const { content } = await context.ask({ message: 'In how many ms?', schema: z.object({ ms: z.number() }) });
    await context.progress(1, 2, 'waiting');
    await new Promise((resolve) => setTimeout(resolve, content?.ms));
    return 'ring';
  }),
);
await using remote = new MCPServer({ name: 'clock', version: '1.0.0', tools: [clock, alarm] });
remote.addResource('clock://zone', { name: 'Zone', content: () => zone });
let zone = 'UTC';
const { url } = await remote.listen();

const config = await loadMCPConfig(
  `{
    // What VS Code keeps in .vscode/mcp.json
    "inputs": [{ "type": "promptString", "id": "key", "description": "Key of the clock", "password": true }],
    "servers": {
      "temperature": {
        "command": "node",
        "args": ["--import", "tsx", "\${workspaceFolder}/mcp-server-in-15-lines.ts"],
        "dev": { "watch": "*.ts" },
      },
      "clock": { "type": "http", "url": "\${CLOCK_URL}", "headers": { "Authorization": "Bearer \${input:key}" } },
    },
  }`,
  {
    env: { CLOCK_URL: url },
    inputs: (id, about) => {
      console.log(`asked for ${id}: ${about?.description}`);
      return 'a-secret-key';
    },
    workspace: fileURLToPath(new URL('.', import.meta.url)),
  },
);
assert.deepEqual(config.ignored, ['servers.temperature.dev']);

await using host = new MCPHost(config, {
  consent: ({ server, command, url: target }) => {
    console.log(`consent to ${server}: ${command?.slice(0, 3).join(' ') ?? new URL(target ?? '').origin}`);
    return true;
  },
  answers: {
    form: ({ server, message }) => {
      console.log(`${server} asks: ${message}`);
      return { action: 'accept', content: { ms: 50 } };
    },
  },
});

const tools = await host.listTools();
console.log(tools.map(({ name }) => name).join(', '));
assert.deepEqual(tools.map(({ name }) => name).sort(), [
  'clock__alarm',
  'clock__now',
  'temperature__celsius_to_fahrenheit',
]);

const boiling = await host.callTool('temperature__celsius_to_fahrenheit', { celsius: 100 }, { timeoutMs: 30_000 });
assert.deepEqual(boiling.structuredContent, { fahrenheit: 212 });

// A failing tool is an answer; only a call that could not be made rejects.
const wrong = await host.callTool('temperature__celsius_to_fahrenheit', { celsius: -300 });
assert.equal(wrong.isError, true);

// The server goes on with this call by itself; the host asks for the answer, and answers what it is asked.
const rung = await host.callTool('clock__alarm', {}, { onProgress: ({ message }) => console.log(`alarm: ${message}`) });
assert.equal(rung.text, 'ring');

await using watch = await host.watch('clock', { resources: ['clock://zone'] });
zone = 'Europe/Berlin';
remote.resourceUpdated('clock://zone');
for await (const change of watch) {
  assert.deepEqual(change, { kind: 'resource', uri: 'clock://zone' });
  const [contents] = await host.readResource('clock', change.uri);
  assert.equal(contents?.text, zone);
  console.log(`the zone is now ${contents?.text}`);
  break;
}

const { details = {} } = await host.health();
const { pid } = (details.temperature as { details: { pid: number } }).details;
const restarting = once(host, 'restarting');
process.kill(pid, 'SIGKILL');
const [{ error }] = await restarting;
console.log(`it ended: ${error.message.split(') ').at(-1)}`);

// This call waits for the server that is starting again.
const again = await host.callTool('temperature__celsius_to_fahrenheit', { celsius: 0 });
assert.deepEqual(again.structuredContent, { fahrenheit: 32 });
console.log('and answers again');
