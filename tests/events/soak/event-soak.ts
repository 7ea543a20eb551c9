import { setTimeout as sleep } from 'node:timers/promises';
import { EventStream, type EventTransport } from '@safla/sdk/events';

/** A transport under attack. */
export interface SoakSubject {
  readonly name: string;
  /** A connection of its own to the same log. */
  connect(): EventTransport;
  /** False where the server itself may forget what was acknowledged: what it then delivers again is counted, and no failure. */
  readonly once: boolean;
  /** How long ids are remembered, in milliseconds; longer than the run. */
  readonly dedupeWindowMs: number;
  /** What can go wrong, by name; each resolves when it is over. */
  readonly faults: Readonly<Record<string, (random: () => number) => Promise<void>>>;
}

export interface SoakSettings {
  /** Events to publish. */
  readonly count: number;
  /** Faults to inject while they are. */
  readonly faults: number;
  readonly seed: number;
  /** Told about each fault. */
  readonly onFault?: (line: string) => void;
}

/** What became of the events. */
export interface SoakResult {
  readonly published: number;
  /** Publishes that were tried again with the same id, because the first try was not acknowledged. */
  readonly republished: number;
  readonly duplicateReceipts: number;
  readonly handlerFailures: number;
  readonly faults: Readonly<Record<string, number>>;
  /** Acknowledged and never handled: must be 0. */
  readonly lost: number;
  /** Handled to the end more than once: must be 0 inside the dedupe window. */
  readonly twice: number;
  readonly seconds: number;
}

const publishers = 4;
const batch = 16;
const consumers = 2;
/** Without progress for this long, what is missing is lost, in milliseconds. */
const patienceMs = 90_000;

/**
 * Publishes `count` events with several publishers, each event until it is acknowledged, while faults hit
 * the server and one handler in a hundred fails; counts what two consumers of one group handled.
 */
export async function runEventSoak(subject: SoakSubject, settings: SoakSettings): Promise<SoakResult> {
  const { count, seed } = settings;
  const random = xorshift(seed);
  const began = Date.now();
  const handled = new Map<string, number>();
  const tally = { published: 0, republished: 0, duplicateReceipts: 0, handlerFailures: 0, completed: 0 };
  const closers: (() => Promise<void>)[] = [];
  const connect = (): EventStream => {
    const transport = subject.connect();
    const stream = new EventStream({
      transport,
      dedupe: { windowMs: subject.dedupeWindowMs },
      redelivery: { maxDeliveries: 1_000, baseDelayMs: 5, maxDelayMs: 500 },
    });
    closers.unshift(
      () => stream.close(),
      () => transport.close(),
    );
    return stream;
  };

  for (let n = 0; n < consumers; n++) {
    const options = { group: 'soak', from: 'start', concurrency: 16, prefetch: 128, timeoutMs: 300_000 } as const;
    await connect().consume('soak', options, async ({ id, attempt }) => {
      if (random() < 0.1) await sleep(1);
      if (attempt === 1 && random() < 0.01) {
        tally.handlerFailures += 1;
        throw new Error('the handler failed');
      }
      handled.set(id, (handled.get(id) ?? 0) + 1);
      tally.completed += 1;
    });
  }

  const publisher = connect();
  const injected = injectFaults(subject, settings, random, () => tally.published);
  const publishing = Array.from({ length: publishers }, async (_, lane) => {
    for (let first = lane * batch; first < count; first += publishers * batch) {
      const drafts = Array.from({ length: Math.min(batch, count - first) }, (_event, index) => ({
        channel: 'soak',
        id: `event-${first + index}`,
        data: { number: first + index, text: 'x'.repeat(120) },
      }));
      for (;;) {
        try {
          const receipts = await publisher.publishMany(drafts, { timeoutMs: 30_000 });
          tally.published += receipts.length;
          tally.duplicateReceipts += receipts.filter(({ duplicate }) => duplicate).length;
          break;
        } catch {
          tally.republished += drafts.length;
          await sleep(20);
        }
      }
    }
  });
  await Promise.all(publishing);
  const faults = await injected;
  await settled(
    () => handled.size >= count,
    () => tally.completed,
  );
  // A second delivery would come now at the latest.
  await sleep(Math.min(3_000, 500 + count / 10));
  for (const close of closers) await close();
  return {
    published: tally.published,
    republished: tally.republished,
    duplicateReceipts: tally.duplicateReceipts,
    handlerFailures: tally.handlerFailures,
    faults,
    lost: count - handled.size,
    twice: [...handled.values()].filter((times) => times > 1).length,
    seconds: (Date.now() - began) / 1_000,
  };
}

/** One fault each time another share of the events was acknowledged, so that all fall into the work. */
async function injectFaults(
  subject: SoakSubject,
  { faults, count, onFault }: SoakSettings,
  random: () => number,
  published: () => number,
): Promise<Record<string, number>> {
  const names = Object.keys(subject.faults);
  const counts: Record<string, number> = {};
  for (let n = 0; n < faults; n++) {
    const at = Math.floor(((n + random()) / faults) * count * 0.95);
    while (published() < at) await sleep(1);
    // In turn at first, so that every kind occurs, then by chance.
    const name = names[n < names.length ? n : Math.floor(random() * names.length)];
    if (name === undefined) break;
    onFault?.(`${published()} published: ${name}`);
    await subject.faults[name]?.(random);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

async function settled(done: () => boolean, progress: () => number): Promise<void> {
  let last = progress();
  let since = Date.now();
  while (!done() && Date.now() - since < patienceMs) {
    await sleep(20);
    if (progress() === last) continue;
    last = progress();
    since = Date.now();
  }
}

/** Numbers from 0 to 1 by a seed (G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8, 2003). */
function xorshift(seed: number): () => number {
  let state = (seed >>> 0) + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}
