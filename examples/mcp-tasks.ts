/**
 * A call that takes long: the client gets a handle at once, hears how far the work is, answers what the
 * tool asks on the way, and gets the result when it likes.
 *
 *     npx tsx examples/mcp-tasks.ts
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { asTask, defineTool, MCPServer } from '@safla/sdk/mcp';
import { z } from 'zod';

const transcode = defineTool(
  { name: 'transcode', description: 'Transcode a film', input: z.object({ film: z.string() }) },
  async ({ film }, context) => {
    const schema = z.object({ height: z.int().min(144) });
    const { action, content } = await context.ask({ message: `Which height for ${film}?`, schema });
    if (action !== 'accept') return { film, done: false };
    for (let part = 1; part <= 3; part++) {
      await sleep(20, undefined, { signal: context.signal });
      await context.progress(part, 3, `part ${part} of 3`);
    }
    return { film, height: content.height, done: true };
  },
);

await using server = new MCPServer({ name: 'films', version: '1.0.0', tools: [asTask(transcode)] });
await using client = await server.connectInMemory({
  answers: { form: async () => ({ action: 'accept', content: { height: 720 } }) },
});

// The handle comes at once. Its id may be kept, also by another process, to come back with resumeTask.
const task = await client.startTask('transcode', { film: 'holiday.mov' });
console.log(`begun: ${(await task.state())?.status}`);
const { structuredContent } = await task.result({ onProgress: ({ message }) => console.log(`now: ${message}`) });
console.log(`ended: ${(await task.state())?.status}, ${JSON.stringify(structuredContent)}`);
assert.deepEqual(structuredContent, { film: 'holiday.mov', height: 720, done: true });

// A task that is not wanted any more is cancelled, and the tool's work with it.
const other = await client.startTask('transcode', { film: 'boring.mov' });
await other.cancel();
assert.equal((await other.state())?.status, 'cancelled');
