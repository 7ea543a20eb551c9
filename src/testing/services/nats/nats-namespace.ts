import { randomBytes } from 'node:crypto';
import type { Namespace } from '../test-service.js';
import { NatsWire } from './nats-wire.js';

/** A prefix for subjects and stream names. Dropping it deletes the JetStream streams whose names begin with it. */
export async function openNatsNamespace(url: string): Promise<Namespace> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  const drop = (): Promise<void> => deleteStreams(url, name);
  return { name, url, drop, [Symbol.asyncDispose]: drop };
}

async function deleteStreams(url: string, prefix: string): Promise<void> {
  await using wire = await NatsWire.connect(url);
  const names: string[] = [];
  for (let total = 1; names.length < total; ) {
    const page = await wire.request('$JS.API.STREAM.NAMES', { offset: names.length });
    const streams = (page.streams ?? []) as readonly string[];
    names.push(...streams);
    total = streams.length === 0 ? 0 : Number(page.total);
  }
  for (const name of names) if (name.startsWith(prefix)) await wire.request(`$JS.API.STREAM.DELETE.${name}`, {});
}
