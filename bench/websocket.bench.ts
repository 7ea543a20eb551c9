/**
 * What a WebSocket client costs beside raw `ws` and socket.io-client: round trips with 1 and 64 messages in
 * flight, and one way up and down. The server is another process; all clients do JSON both ways; rounds
 * are interleaved in rotating order. CPU time is the client process's own. Ratios are medians of ratios
 * within a round, so that the machine's moods cancel out.
 *
 * The last part drops 1,000 clients at once and looks at how they come back.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocketIntegration } from '@safla/sdk/websocket';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { median } from './measure.js';
import { version } from './support/version.js';

/** A client of one library, connected. */
interface Client {
  send(message: unknown): void;
  /** How many messages came so far. */
  received(): number;
  /** Called after each message. */
  onMessage(fn: () => void): void;
  close(): void;
}

interface Library {
  readonly name: string;
  readonly connect: (port: number) => Promise<Client>;
}

interface Sample {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

const payload = {
  id: 'a3f1c2',
  type: 'order.paid',
  at: '2026-01-02T03:04:05.678Z',
  total: 129.95,
  items: [
    { sku: 'x-100', count: 2 },
    { sku: 'y-200', count: 1 },
  ],
  note: 'leave it at the door, please',
  customer: 'c-8842',
  tags: ['new', 'gift'],
};

async function ours(url: string): Promise<Client> {
  const ws = new WebSocketIntegration({ url });
  let count = 0;
  let tell = (): void => undefined;
  ws.on('message', () => {
    count += 1;
    tell();
  });
  await ws.connect();
  return {
    send: (message) => void ws.send(message),
    received: () => count,
    onMessage(fn) {
      tell = fn;
    },
    close: () => void ws.close(),
  };
}

async function raw(url: string): Promise<Client> {
  const ws = new WebSocket(url, { perMessageDeflate: false });
  let count = 0;
  let tell = (): void => undefined;
  ws.on('message', (data) => {
    JSON.parse(String(data));
    count += 1;
    tell();
  });
  await once(ws, 'open');
  return {
    send: (message) => ws.send(JSON.stringify(message)),
    received: () => count,
    onMessage(fn) {
      tell = fn;
    },
    close: () => ws.close(),
  };
}

async function socketIO(url: string): Promise<Client> {
  const socket: Socket = io(url, { transports: ['websocket'] });
  let count = 0;
  let tell = (): void => undefined;
  socket.on('m', () => {
    count += 1;
    tell();
  });
  await new Promise<void>((resolve) => socket.on('connect', () => resolve()));
  return {
    send: (message) => socket.emit('m', message),
    received: () => count,
    onMessage(fn) {
      tell = fn;
    },
    close: () => void socket.close(),
  };
}

/** Resolves when `count` messages more have come, sending as `next` says after each. */
function exchange(client: Client, count: number, start: () => void, next?: () => void): Promise<void> {
  const goal = client.received() + count;
  return new Promise((resolve) => {
    client.onMessage(() => {
      if (client.received() >= goal) resolve();
      else next?.();
    });
    start();
  });
}

type Pattern = (client: Client) => { readonly count: number; readonly run: () => Promise<void> };

const roundTrips =
  (inFlight: number, count: number): Pattern =>
  (client) => {
    let sent = 0;
    const next = (): void => {
      if (sent < count) {
        sent += 1;
        client.send({ op: 'echo', payload });
      }
    };
    const start = (): void => {
      for (let i = 0; i < inFlight; i++) next();
    };
    return { count, run: () => exchange(client, count, start, next) };
  };

const up =
  (count: number): Pattern =>
  (client) => {
    const start = async (): Promise<void> => {
      // In pieces, as a program would; the last one is answered.
      for (let sent = 0; sent < count; sent += 100) {
        for (let i = 0; i < 100; i++) client.send({ op: sent + i === count - 1 ? 'echo' : 'sink', payload });
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    return { count, run: () => exchange(client, 1, () => void start()) };
  };

const down =
  (count: number): Pattern =>
  (client) => ({ count, run: () => exchange(client, count, () => client.send({ op: 'burst', count, payload })) });

const patterns: readonly { readonly name: string; readonly pattern: Pattern }[] = [
  { name: 'round trips, 1 in flight', pattern: roundTrips(1, 3_000) },
  { name: 'round trips, 64 in flight', pattern: roundTrips(64, 12_000) },
  { name: 'up', pattern: up(20_000) },
  { name: 'down', pattern: down(20_000) },
];

async function sample(pattern: Pattern, client: Client): Promise<Sample> {
  const { count, run } = pattern(client);
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return { perSecond: (count / (performance.now() - startedAt)) * 1_000, cpuMicros: (user + system) / count };
}

const rounds = Number(process.env.ROUNDS ?? 15);
const server = fork(fileURLToPath(new URL('./websocket-server.ts', import.meta.url)), {
  execArgv: ['--import', 'tsx'],
});
const [{ rawPort, ioPort }] = (await once(server, 'message')) as [{ rawPort: number; ioPort: number }];

const libraries: readonly Library[] = [
  { name: `ws ${version('ws')}`, connect: () => raw(`ws://127.0.0.1:${rawPort}`) },
  { name: '@safla/sdk', connect: () => ours(`ws://127.0.0.1:${rawPort}`) },
  { name: `socket.io-client ${version('socket.io-client')}`, connect: () => socketIO(`http://127.0.0.1:${ioPort}`) },
];
const clients = await Promise.all(libraries.map(({ connect }) => connect(0)));

console.log('pattern                    | library                 | messages/s | x ws | CPU us/message | x ws');
for (const { name, pattern } of patterns) {
  const samples = libraries.map((): Sample[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < clients.length; turn++) {
      const index = (turn + round) % clients.length;
      const client = clients[index];
      if (!client) continue;
      const result = await sample(pattern, client);
      if (round > 0) samples[index]?.push(result);
    }
  }
  const base = samples[0] ?? [];
  libraries.forEach((library, index) => {
    const own = samples[index] ?? [];
    const rate = median(own.map((s, i) => s.perSecond / (base[i]?.perSecond ?? Number.NaN)));
    const cpu = median(own.map((s, i) => s.cpuMicros / (base[i]?.cpuMicros ?? Number.NaN)));
    const cells = [
      name.padEnd(26),
      library.name.padEnd(23),
      median(own.map((s) => s.perSecond))
        .toFixed(0)
        .padStart(10),
      rate.toFixed(2).padStart(4),
      median(own.map((s) => s.cpuMicros))
        .toFixed(1)
        .padStart(14),
      cpu.toFixed(2).padStart(4),
    ];
    console.log(cells.join(' | '));
    if (index === 1) {
      console.log(`  bar: >= 0.9x ws, CPU <= 1/0.9x: ${rate >= 0.9 && cpu <= 1 / 0.9 ? 'met' : 'MISSED'}`);
    }
  });
}
for (const client of clients) client.close();

const count = 1_000;
const binMs = 100;

/** Drops all clients at once and gives how many came back in each 100 ms, as the server saw it. */
async function stampede(random?: () => number): Promise<number[]> {
  const herd = Array.from(
    { length: count },
    () => new WebSocketIntegration({ url: `ws://127.0.0.1:${rawPort}`, reconnect: { ...(random && { random }) } }),
  );
  for (let i = 0; i < count; i += 50) await Promise.all(herd.slice(i, i + 50).map((ws) => ws.connect()));
  server.send('drop');
  const [times] = (await once(server, 'message')) as [number[]];
  await Promise.all(herd.map((ws) => ws.close()));
  const bins: number[] = [];
  for (const ms of times) bins[Math.floor(ms / binMs)] = (bins[Math.floor(ms / binMs)] ?? 0) + 1;
  return Array.from(bins, (bin) => bin ?? 0);
}

console.log(`\n${count} clients dropped at once, reconnections in each ${binMs} ms`);
for (const [name, random] of [
  ['full jitter', undefined],
  ['no jitter', () => 1],
] as const) {
  const bins = await stampede(random);
  // Over the second from which the first pause is drawn.
  const ratio = Math.max(...bins) / (count / 10);
  console.log(`${name.padEnd(11)} | ${bins.join(' ')} | busiest / mean ${ratio.toFixed(1)}`);
  if (!random) console.log(`  bar: <= 3: ${ratio <= 3 ? 'met' : 'MISSED'}`);
}
server.kill();
