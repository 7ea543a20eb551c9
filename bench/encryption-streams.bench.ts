/**
 * What streams cost beside bare node:crypto, and how memory and event loop fare. `SAFLA_SOAK=1` streams 10 GiB
 * instead of 256 MiB. Pairs are measured apart: buffers that one variant leaves behind are collected in the time
 * of the next.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Encryptor, LocalKeyring } from '@safla/sdk/encryption';
import { type Measured, measure } from './measure.js';

const MiB = 2 ** 20;
const raw = randomBytes(32);
const key = createSecretKey(raw);
const context = 'user:42/ssn';
const encryptor = new Encryptor({ keys: new LocalKeyring({ keys: [{ id: 'k1', key: raw }] }) });

const bar = (name: string, value: number, least: number): void =>
  console.log(`bar: ${name} >= ${least}: ${value.toFixed(2)}, ${value >= least ? 'met' : 'MISSED'}`);
const of = (results: readonly Measured[], index: number): number => results[index]?.cpuMicros ?? Number.NaN;

// Streams.
const streamBytes = 16 * MiB;
const piece = randomBytes(64 * 1024);
function* source(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}
async function drain(stream: AsyncIterable<Uint8Array>): Promise<Buffer[]> {
  const out: Buffer[] = [];
  for await (const part of stream) out.push(part as Buffer);
  return out;
}
const whole = Buffer.concat(await drain(encryptor.sealStream(source(streamBytes), { context })));
/** In pieces of 64 KiB, as files are read. */
const sealed = Array.from({ length: Math.ceil(whole.length / piece.length) }, (_, i) =>
  whole.subarray(i * piece.length, (i + 1) * piece.length),
);
const web = (pieces: Iterable<Uint8Array>): ReadableStream<Uint8Array> =>
  Readable.toWeb(Readable.from(pieces)) as ReadableStream<Uint8Array>;
const skim = async (stream: AsyncIterable<Uint8Array>): Promise<void> => {
  for await (const _ of stream);
};
const nonce = Buffer.alloc(12);
const chunks = streamBytes / 16_384;
const chunk = piece.subarray(0, 16_384);
const sealedChunks = Array.from({ length: chunks }, () => {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  return { body: Buffer.concat([cipher.update(chunk), cipher.final()]), tag: cipher.getAuthTag() };
});
const effort = { calls: 6, rounds: 15 };
const sealing = await measure(
  [
    { name: 'sealStream(source)', run: () => skim(encryptor.sealStream(source(streamBytes), { context })) },
    {
      name: `node:crypto, AES-256-GCM message for each 16 KiB, sealed (node ${process.versions.node})`,
      run: async () => {
        for (let i = 0; i < chunks; i++) {
          const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
          cipher.update(chunk);
          cipher.final();
          cipher.getAuthTag();
        }
      },
    },
  ],
  effort,
);
const opening = await measure(
  [
    { name: 'openStream(source)', run: () => skim(encryptor.openStream(sealed, { context })) },
    {
      name: 'node:crypto, AES-256-GCM message for each 16 KiB, opened',
      run: async () => {
        for (const { body, tag } of sealedChunks) {
          const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
          decipher.setAuthTag(tag);
          decipher.update(body);
          decipher.final();
        }
      },
    },
  ],
  effort,
);
const others = await measure(
  [
    {
      name: 'sealStream as a TransformStream',
      run: () => skim(web(source(streamBytes)).pipeThrough(encryptor.sealStream({ context }))),
    },
    {
      name: 'node:crypto, one AES-256-GCM message, updated by 16 KiB (nothing authentic before its end)',
      run: async () => {
        const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
        for (let i = 0; i < chunks; i++) cipher.update(chunk);
        cipher.final();
      },
    },
  ],
  effort,
);
console.log('\nstreams of 16 MiB, MB per CPU-second');
for (const { name, cpuMicros } of [...sealing, ...opening, ...others])
  console.log(`${Math.round(streamBytes / cpuMicros)} MB/s | ${name}`.padStart(14 + 3 + name.length));
bar('sealStream / node AES-GCM in 16 KiB pieces', of(sealing, 1) / of(sealing, 0), 0.8);
bar('openStream / node AES-GCM in 16 KiB pieces', of(opening, 1) / of(opening, 0), 0.8);

// Memory.
const total = process.env.SAFLA_SOAK ? 10_240 * MiB : 256 * MiB;
await skim(encryptor.openStream(encryptor.sealStream(source(64 * MiB), { context }), { context }));
globalThis.gc?.();
const before = process.memoryUsage.rss();
let peak = before;
let seen = 0;
for await (const part of encryptor.openStream(encryptor.sealStream(source(total), { context }), { context })) {
  seen += part.length;
  if (seen % (4 * MiB) < part.length) peak = Math.max(peak, process.memoryUsage.rss());
}
console.log(
  `\nRSS over ${total / MiB} MiB sealed and opened: +${((peak - before) / MiB).toFixed(1)} MiB (${seen === total ? 'complete' : 'INCOMPLETE'})`,
);
bar('20 MB - growth of RSS', 20 - (peak - before) / 1e6, 0);

// Event loop. On a shared machine the longest turn holds what other processes took. A turn that the code itself makes
// long comes again each time, so the least of the longest turns of many repetitions is what the code does.
async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let working = true;
  let longest = 0;
  const watch = (async () => {
    while (working) {
      const start = performance.now();
      await turn();
      longest = Math.max(longest, performance.now() - start);
    }
  })();
  await work();
  working = false;
  await watch;
  return longest;
}
const long = randomBytes(4 * MiB);
const longToken = await encryptor.seal(long, { context });
const sealedPart = await drain(encryptor.sealStream(source(4 * MiB), { context }));
const works: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['idle', () => new Promise((resolve) => setTimeout(resolve, 5))],
  ['seal of 4 MiB', () => encryptor.seal(long, { context })],
  ['open of 4 MiB', () => encryptor.open(longToken, { context })],
  ['sealStream of 4 MiB', () => skim(encryptor.sealStream(source(4 * MiB), { context }))],
  ['openStream of 4 MiB', () => skim(encryptor.openStream(sealedPart, { context }))],
];
console.log('\nevent loop: the longest turn in ms, least and middle of 60 repetitions');
let worst = 0;
for (const [name, work] of works) {
  await work();
  const turns: number[] = [];
  for (let i = 0; i < 60; i++) turns.push(await longestTurn(work));
  turns.sort((a, b) => a - b);
  const [least = Number.NaN, middle = Number.NaN] = [turns[0], turns[30]];
  if (name !== 'idle') worst = Math.max(worst, least);
  console.log(`${least.toFixed(1).padStart(8)} ${middle.toFixed(1).padStart(8)} | ${name}`);
}
bar('5 ms - longest turn', 5 - worst, 0);
await encryptor.close();
