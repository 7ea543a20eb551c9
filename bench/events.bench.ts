/**
 * Durable events on one Redis, publisher and consumer in this process, the server in another: our
 * EventStream beside the same work written by hand on ioredis, and beside BullMQ. By hand there is the id of each event,
 * the dedupe, the log, the group and the acknowledgements, with JSON both ways, and the number that tells
 * that each came once; there is no envelope with time, type and source, no redelivery, dead letter, time limit
 * or cancellation, no bound, and nothing is sent again. Durable is the stream; the server writes no file here.
 * CPU time is that of this process; what the server used for it stands beside it, and in a ratio for both.
 *
 * What was tried against the hand-written loop: a key per id (server 7 us per event) and two hashes of ids in turn (6,
 * shipped); all ids of a batch in one MessagePack text (client 0.2 us less, server 0.1 more); XREADGROUP as Redis
 * answers it (server 1 us less, client 2.6 more) and rows of texts made by a script (shipped); batches of 128, 192,
 * 256 (shipped) and 384 events, which differ by less than two runs of one of them do.
 */
import { randomUUID } from 'node:crypto';
import { EventStream, redisStreams } from '@safla/sdk/events';
import { TestContainer } from '@safla/sdk/testing';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { median } from './measure.js';
import { version } from './support/version.js';

/** Enough that the first thousands, in which the heap grows again after each collection, do not decide. */
const events = Number(process.env.EVENTS ?? 60_000);
const rounds = Number(process.env.ROUNDS ?? 7);
const inFlight = 500;
const batch = 256;

/** About 220 bytes as JSON. */
function order(number: number): {
  readonly number: number;
  readonly customer: string;
  readonly lines: readonly object[];
} {
  const line = { sku: 'SKU-0001-BLUE-XL', quantity: 2, price: 19.99, currency: 'EUR' };
  return { number, customer: '5b0a7c1e-3f4d-4e7a-9b52-2d8f6f0c1a11', lines: [line, line] };
}

/** Runs `send` for all numbers, `inFlight` at a time. */
async function flood(send: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < events) await send(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** Counts up to `events`; each number once. */
function counter(): { readonly done: Promise<void>; readonly see: (number: number) => void } {
  const seen = new Set<number>();
  let resolve = (): void => undefined;
  const done = new Promise<void>((settle) => {
    resolve = settle;
  });
  return {
    done,
    see(number) {
      if (seen.has(number)) throw new Error(`${number} came twice`);
      seen.add(number);
      if (seen.size === events) resolve();
    },
  };
}

async function ours(url: string): Promise<Sample> {
  const stream = new EventStream({ transport: redisStreams({ url, prefix: randomUUID() }) });
  const { done, see } = counter();
  await stream.consume('orders', { group: 'g', concurrency: batch, prefetch: batch, from: 'start' }, ({ data }) =>
    see((data as { number: number }).number),
  );
  const sample = await timed(async () => {
    await flood((number) => stream.publish('orders', order(number), { id: `order-${number}` }));
    await done;
  });
  await stream.transport.close();
  await stream.close();
  return sample;
}

async function byHand(url: string): Promise<Sample> {
  const key = `{${randomUUID()}}`;
  const publisher = new Redis(url);
  const reader = new Redis(url);
  const dedupe = `if redis.call('SET', KEYS[2], '1', 'NX', 'PX', 120000) then return redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'body', ARGV[2]) end return false`;
  publisher.defineCommand('publishOnce', { numberOfKeys: 2, lua: dedupe });
  const publish = (publisher as unknown as { publishOnce(...args: string[]): Promise<unknown> }).publishOnce.bind(
    publisher,
  );
  await reader.xgroup('CREATE', key, 'g', '0', 'MKSTREAM');
  const { done, see } = counter();
  let ended = false;
  const consume = async (): Promise<void> => {
    while (!ended) {
      const read = (await reader.xreadgroup('GROUP', 'g', 'c', 'COUNT', batch, 'BLOCK', 100, 'STREAMS', key, '>')) as
        | [string, [string, string[]][]][]
        | null;
      const entries = read?.[0]?.[1] ?? [];
      for (const [, fields] of entries) see((JSON.parse(fields[3] ?? '') as { number: number }).number);
      if (entries.length > 0) await publisher.xack(key, 'g', ...entries.map(([id]) => id));
    }
  };
  const consuming = consume();
  const sample = await timed(async () => {
    await flood((number) => publish(key, `${key}:order-${number}`, `order-${number}`, JSON.stringify(order(number))));
    await done;
  });
  ended = true;
  await consuming;
  publisher.disconnect();
  reader.disconnect();
  return sample;
}

async function bullmq(url: string): Promise<Sample> {
  const { hostname: host, port, password } = new URL(url);
  const connection = { host, port: Number(port), password, maxRetriesPerRequest: null };
  const name = randomUUID();
  const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } });
  const { done, see } = counter();
  const worker = new Worker(name, async ({ data }) => see((data as { number: number }).number), {
    connection,
    concurrency: 50,
  });
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  const sample = await timed(async () => {
    for (let from = 0; from < events; from += inFlight) {
      const jobs = Array.from({ length: Math.min(inFlight, events - from) }, (_, index) => from + index);
      await queue.addBulk(
        jobs.map((number) => ({ name: 'order', data: order(number), opts: { jobId: `order-${number}` } })),
      );
    }
    await done;
  });
  await worker.close();
  await queue.close();
  return sample;
}

interface Sample {
  /** Of this process, per event. */
  readonly cpuMicros: number;
  /** Of redis-server, per event. */
  readonly serverMicros: number;
  readonly perSecond: number;
}

async function timed(work: () => Promise<void>): Promise<Sample> {
  globalThis.gc?.();
  const served = await serverCPU();
  const cpu = process.cpuUsage();
  const from = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - from) / 1e9;
  const { user, system } = process.cpuUsage(cpu);
  const serverMicros = ((await serverCPU()) - served) / events;
  return { cpuMicros: (user + system) / events, serverMicros, perSecond: events / seconds };
}

/** Microseconds that redis-server has used so far, user and system. */
async function serverCPU(): Promise<number> {
  const text = await admin.info('cpu');
  const seconds = ['used_cpu_user', 'used_cpu_sys'].map((name) => Number(new RegExp(`${name}:(\\S+)`).exec(text)?.[1]));
  return seconds.reduce((sum, value) => sum + value, 0) * 1e6;
}

const variants = [
  { name: 'EventStream on redisStreams, deduped', run: ours },
  { name: `ioredis ${version('ioredis')} by hand: Lua dedupe, XADD, XREADGROUP 256, XACK per batch`, run: byHand },
  { name: `BullMQ ${version('bullmq')}: addBulk 500 with jobId, 50 at a time`, run: bullmq },
] as const;

const services = await TestContainer.start({ redis: { kinds: ['system'] } });
const { url, version: serverVersion } = services.redis;
const admin = new Redis(url);
const samples = variants.map((): Sample[] => []);
for (let round = 0; round <= rounds; round++) {
  for (let turn = 0; turn < variants.length; turn++) {
    const index = (turn + round) % variants.length;
    const sample = await variants[index]?.run(url);
    await admin.flushall();
    // The first round warms up.
    if (sample && round > 0) samples[index]?.push(sample);
  }
}
admin.disconnect();
await services.stop();

const [own = [], hand = [], bull = []] = samples;
const perSecond = ({ perSecond: value }: Sample): number => value;
const perCPU = ({ cpuMicros }: Sample): number => 1 / cpuMicros;
const perAllCPU = ({ cpuMicros, serverMicros }: Sample): number => 1 / (cpuMicros + serverMicros);
const middle = (list: readonly Sample[], of: (sample: Sample) => number, digits: number): string =>
  median(list.map(of)).toFixed(digits);
const ratio = (peer: readonly Sample[], of: (sample: Sample) => number): number =>
  median(own.map((sample, round) => of(sample) / of(peer[round] as Sample)));

console.log(
  `${events} events of about 220 bytes, ${rounds} rounds, Redis ${serverVersion}; medians, and those of the ratios`,
);
console.table(
  variants.map(({ name }, index) => {
    const list = samples[index] ?? [];
    return {
      variant: name,
      'events/s': middle(list, perSecond, 0),
      'CPU us/event': middle(list, ({ cpuMicros }) => cpuMicros, 1),
      'server CPU us/event': middle(list, ({ serverMicros }) => serverMicros, 1),
      'ours / it, per s': ratio(list, perSecond).toFixed(2),
      'per CPU s': ratio(list, perCPU).toFixed(2),
      'per CPU s, server too': ratio(list, perAllCPU).toFixed(2),
    };
  }),
);
for (const { name, peer, bar } of [
  { name: 'BullMQ', peer: bull, bar: 5 },
  { name: 'by hand', peer: hand, bar: 0.85 },
]) {
  const [speed, cpu, all] = [ratio(peer, perSecond), ratio(peer, perCPU), ratio(peer, perAllCPU)];
  const met = speed >= bar && cpu >= bar ? 'met' : 'MISSED';
  console.log(
    `bar: >= ${bar}x ${name}: ${speed.toFixed(2)} per s, ${cpu.toFixed(2)} per CPU s, ${all.toFixed(2)} with the server's: ${met}`,
  );
}
