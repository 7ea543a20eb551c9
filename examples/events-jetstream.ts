/**
 * The events of `events-in-process.ts` on NATS JetStream: only the transport is another. Starts its own
 * `nats-server` in a temporary folder; with NATS_URL set it uses yours.
 *
 *     npx tsx examples/events-jetstream.ts
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStream } from '@safla/sdk/events';
import { jetstream } from '@safla/sdk/events/jetstream';

/** Starts `nats-server -js` on a port that the kernel gives. Undefined when the program is not there. */
async function startServer(): Promise<{ url: string; stop: () => Promise<void> } | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'safla-example-'));
  const args = ['-js', '-a', '127.0.0.1', '-p', '-1', '-sd', folder, '--ports_file_dir', folder];
  const child = spawn('nats-server', args, { stdio: 'ignore' });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.pid !== undefined) {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const failed = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(false));
    child.once('error', () => resolve(true));
  });
  if (failed) {
    await stop();
    return undefined;
  }
  for (;;) {
    const ports = await readFile(join(folder, `nats-server_${child.pid}.ports`), 'utf8').catch(() => '');
    if (ports !== '') {
      const { nats } = JSON.parse(ports) as { nats: string[] };
      return { url: nats[0] ?? '', stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function main(url: string): Promise<void> {
  await using transport = jetstream({ servers: url, stream: 'EXAMPLE', subject: 'example' });
  await using events = new EventStream({ transport, redelivery: { maxDeliveries: 3, baseDelayMs: 1 } });

  const charged: string[] = [];
  let cardReader = 'broken';
  await using billing = await events.consume('order.*', { group: 'billing' }, ({ id }) => {
    if (id === 'order-2-paid' && cardReader === 'broken') throw new Error('no card reader');
    charged.push(id);
  });

  await events.publish('order.paid', { total: 20 }, { id: 'order-1-paid' });
  const again = await events.publish('order.paid', { total: 20 }, { id: 'order-1-paid' });
  assert.equal(again.duplicate, true);
  await events.publish('order.paid', { total: 35 }, { id: 'order-2-paid' });

  const letters = events.deadLetters('order.paid');
  while (billing.stats().deadLettered === 0 || (await letters.list()).length === 0) await tick();
  cardReader = 'mended';
  assert.equal(await letters.requeue({ group: 'billing' }), 1);
  while (charged.length < 2) await tick();
  assert.deepEqual(charged, ['order-1-paid', 'order-2-paid']);

  let count = 0;
  for await (const _event of events.replay('order.paid')) count += 1;
  assert.equal(count, 2);
  console.log('charged:', charged.join(', '), '| replayed:', count);
  await billing.close();
  await events.deleteGroup('order.*', 'billing');
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

const own = process.env.NATS_URL === undefined ? await startServer() : undefined;
const url = process.env.NATS_URL ?? own?.url;
try {
  if (url === undefined) console.log('nats-server is not installed (apt-get install nats-server); nothing was run');
  else await main(url);
} finally {
  await own?.stop();
}
