import assert from 'node:assert/strict';
import type {
  Delivery,
  EventTransport,
  LogRange,
  OutgoingEvent,
  StartPosition,
  StoredDeadLetter,
  StoredEvent,
  TransportSubscription,
} from '../../events/index.js';

/** How long something that must come may take, and how long nothing must come for, in milliseconds. */
const patienceMs = 10_000;
const quietMs = 60;

/** Short words for what the cases of the event contract do again and again. */
export class EventHarness {
  readonly transport: EventTransport;

  constructor(transport: EventTransport) {
    this.transport = transport;
  }

  /** Publishes events with the ids `ids`; the body is the id in a JSON object. */
  async publish(
    ids: readonly string[],
    { channel = 'orders', key, dedupeWindowMs = 0 }: PublishSettings = {},
  ): Promise<readonly boolean[]> {
    const events = ids.map((id) => outgoing(id, channel, key));
    const receipts = await this.transport.publish(events, { dedupeWindowMs });
    assert.deepEqual(
      receipts.map((receipt) => [receipt.channel, receipt.id]),
      ids.map((id) => [channel, id]),
      'receipts',
    );
    return receipts.map(({ duplicate }) => duplicate);
  }

  /** Publishes one event by itself, as `EventStream` does where the transport can; gives whether it is a duplicate. */
  async publishOne(
    id: string,
    { channel = 'orders', key, dedupeWindowMs = 0 }: PublishSettings = {},
  ): Promise<boolean> {
    const event = outgoing(id, channel, key);
    const { transport } = this;
    const [receipt] = transport.publishOne
      ? [await transport.publishOne(event, { dedupeWindowMs })]
      : await transport.publish([event], { dedupeWindowMs });
    assert.deepEqual([receipt?.channel, receipt?.id], [channel, id], 'receipt');
    return receipt?.duplicate ?? false;
  }

  async join({ channel = 'orders', group = 'g', from = 'start', ordered = false }: JoinSettings = {}): Promise<Member> {
    return new Member(await this.transport.subscribe({ channel, group, from, ordered }));
  }

  async read(range: LogRange, channel = 'orders'): Promise<string[]> {
    return (await all<StoredEvent>(this.transport.read(channel, range))).map(({ id }) => id);
  }

  deadLetters(channel = 'orders'): Promise<StoredDeadLetter[]> {
    return all(this.transport.deadLetters(channel));
  }

  lag(group = 'g', channel = 'orders'): Promise<number> {
    return this.transport.lag(channel, group);
  }
}

function outgoing(id: string, channel: string, key: string | undefined): OutgoingEvent {
  return { channel, id, body: bodyOf(id), ...(key === undefined ? {} : { key }) };
}

interface PublishSettings {
  readonly channel?: string;
  readonly key?: string;
  readonly dedupeWindowMs?: number;
}

interface JoinSettings {
  readonly channel?: string;
  readonly group?: string;
  readonly from?: StartPosition;
  readonly ordered?: boolean;
}

/** A member of a group, and what it holds. */
export class Member {
  readonly subscription: TransportSubscription;

  constructor(subscription: TransportSubscription) {
    this.subscription = subscription;
  }

  /** Takes exactly `count` events, in the order they come. */
  async take(count: number): Promise<Delivery[]> {
    const taken: Delivery[] = [];
    await withDeadline(patienceMs, async (signal) => {
      while (taken.length < count) {
        const batch = await this.subscription.pull(count - taken.length, signal);
        assert.ok(batch.length > 0, `only ${taken.length} of ${count} events came: ${idsOf(taken)}`);
        assert.ok(batch.length <= count - taken.length, `pull(${count - taken.length}) gave ${batch.length} events`);
        taken.push(...batch);
      }
    });
    return taken;
  }

  async takeOne(): Promise<Delivery> {
    const [delivery] = await this.take(1);
    assert.ok(delivery);
    return delivery;
  }

  /** Takes and acknowledges; gives the ids. */
  async acknowledge(count: number): Promise<string[]> {
    const taken = await this.take(count);
    for (const delivery of taken) await delivery.settle({ kind: 'ack' });
    return idsOf(taken);
  }

  /** Nothing may be taken for a while. */
  async isQuiet(): Promise<void> {
    const batch = await withDeadline(quietMs, (signal) => this.subscription.pull(10, signal));
    assert.deepEqual(idsOf(batch), [], 'events came that must not');
  }
}

/**
 * Works under a signal that aborts after `ms`. Its timer keeps the process alive, as that of
 * `AbortSignal.timeout` does not: under `node:test` a case that waits would be cut off with it.
 */
export async function withDeadline<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

export function bodyOf(id: string): string {
  return JSON.stringify({ id, text: 'ä\n"\u{1f600}' });
}

export function idsOf(deliveries: readonly Delivery[]): string[] {
  return deliveries.map(({ event }) => event.id);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
