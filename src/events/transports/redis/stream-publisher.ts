import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type CallOptions, type ClosedError, QueueFullError } from '../../../core/index.js';
import type { RedisArgument, RedisConnection } from '../../../drivers/redis/index.js';
import type { OutgoingEvent, Receipt } from '../../event-transport.js';
import { BatchSender } from './batch-sender.js';
import type { ChannelRegistry } from './channel-registry.js';
import { logFull, publishScript } from './publish-script.js';
import { QueueBudget } from './queue-budget.js';
import type { RedisStreamsSettings } from './redis-streams-options.js';
import { partitionOf, type StreamKeys } from './stream-keys.js';

/** What a {@link StreamPublisher} is made of. */
export interface StreamPublisherParts {
  readonly connection: RedisConnection;
  readonly registry: ChannelRegistry;
  readonly settings: RedisStreamsSettings;
  readonly partitionsOf: (channel: string) => readonly StreamKeys[];
}

type Lane = BatchSender<OutgoingEvent, Receipt>;

/** Less than many publishers send at a time: while one batch is away, the next one gathers. */
const maxBatchItems = 256;
const maxBatchBytes = 1_048_576;
/** Lanes that may be kept although nothing goes through them. */
const maxIdleLanes = 1_000;
const trimEveryMs = 10_000;

/** Appends events to their streams, one batch at a time for each. */
export class StreamPublisher {
  readonly #parts: StreamPublisherParts;
  readonly #budget: QueueBudget;
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #origin: string = `${randomBytes(9).toString('base64url')}.`;
  #lanesMade = 0;
  /** The lane of the event before: mostly that of the next. It is the one that a full map keeps. */
  #last: { readonly keys: StreamKeys; readonly windowMs: number; readonly lane: Lane } | undefined;

  constructor(parts: StreamPublisherParts) {
    this.#parts = parts;
    const { maxQueuedEvents, maxQueuedBytes } = parts.settings;
    this.#budget = new QueueBudget('Queue of events for Redis', maxQueuedEvents, maxQueuedBytes);
  }

  async publish(
    events: readonly OutgoingEvent[],
    options: CallOptions & { readonly dedupeWindowMs: number },
  ): Promise<readonly Receipt[]> {
    const receipts: Receipt[] = [];
    const byLane = new Map<Lane, number[]>();
    for (const [index, event] of events.entries()) {
      const lane = this.#lane(event, options.dedupeWindowMs);
      const indexes = byLane.get(lane);
      if (indexes) indexes.push(index);
      else byLane.set(lane, [index]);
    }
    const send = async (lane: Lane, indexes: readonly number[]): Promise<void> => {
      const items = indexes.map((index) => events[index] as OutgoingEvent);
      const bytes = items.reduce((sum, event) => sum + sizeOf(event), 0);
      const stored = await lane.add(items, bytes, options);
      for (const [at, index] of indexes.entries()) receipts[index] = stored[at] as Receipt;
    };
    const size = Math.min(maxBatchItems, this.#parts.settings.maxEvents);
    const sends = [...byLane].flatMap(([lane, indexes]) => chunks(indexes, size).map((chunk) => send(lane, chunk)));
    const failure = (await Promise.allSettled(sends)).find(({ status }) => status === 'rejected');
    if (failure) throw (failure as PromiseRejectedResult).reason;
    return receipts;
  }

  publishOne(event: OutgoingEvent, options: CallOptions & { readonly dedupeWindowMs: number }): Promise<Receipt> {
    try {
      return this.#lane(event, options.dedupeWindowMs).addOne(event, sizeOf(event), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Resolves once nothing is on its way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.settled()));
  }

  close(error: ClosedError): void {
    for (const lane of this.#lanes.values()) lane.close(error);
    this.#lanes.clear();
  }

  #lane(event: OutgoingEvent, windowMs: number): Lane {
    const partitions = this.#parts.partitionsOf(event.channel);
    const keys = partitions[partitionOf(event.key ?? event.id, partitions.length)] as StreamKeys;
    if (this.#last?.keys === keys && this.#last.windowMs === windowMs) return this.#last.lane;
    const lane = this.#knownLane(event.channel, keys, windowMs);
    this.#last = { keys, windowMs, lane };
    return lane;
  }

  #knownLane(channel: string, keys: StreamKeys, windowMs: number): Lane {
    const name = `${windowMs}${keys.log}`;
    const known = this.#lanes.get(name);
    if (known) return known;
    for (const [idle, lane] of this.#lanes.size >= maxIdleLanes ? this.#lanes : []) {
      if (lane.pending === 0 && lane !== this.#last?.lane) this.#lanes.delete(idle);
    }
    const lane = this.#makeLane(channel, keys, windowMs);
    this.#lanes.set(name, lane);
    return lane;
  }

  #makeLane(channel: string, keys: StreamKeys, windowMs: number): Lane {
    const { timeoutMs, maxEvents } = this.#parts.settings;
    let trimAt = 0;
    this.#lanesMade += 1;
    return new BatchSender({
      name: `publish to '${channel}'`,
      send: async (events, token) => {
        const known = this.#parts.registry.ensure(channel);
        if (known) await known;
        const now = performance.now();
        const trim = now >= trimAt;
        if (trim) trimAt = now + trimEveryMs;
        return this.#send(channel, keys, events, { token, windowMs, trim });
      },
      maxBatchItems: Math.min(maxBatchItems, maxEvents),
      maxBatchBytes,
      budget: this.#budget,
      timeoutMs,
      reasonOf: (failure) => this.#parts.connection.reasonOf(failure),
      origin: `${this.#origin}${this.#lanesMade}.`,
    });
  }

  async #send(
    channel: string,
    keys: StreamKeys,
    events: readonly OutgoingEvent[],
    { token, windowMs, trim }: { readonly token: string; readonly windowMs: number; readonly trim: boolean },
  ): Promise<readonly Receipt[]> {
    const { maxEvents, maxAgeMs, overflow } = this.#parts.settings;
    const names = [keys.log, keys.wake, ...(windowMs === 0 ? [keys.sent(token)] : keys.ids)];
    const args: RedisArgument[] = [
      token,
      finiteOr(windowMs, Number.MAX_SAFE_INTEGER),
      finiteOr(maxEvents, 0),
      overflow === 'drop-oldest' ? 1 : 0,
      trim ? finiteOr(maxAgeMs, '') : '',
    ];
    const before = { key: '', attributes: '' };
    for (const { id, key = '', attributes = '', body } of events) {
      const same = key === before.key && attributes === before.attributes;
      args.push(id, same ? '' : `${Buffer.byteLength(key)}:${key}${attributes}`, body);
      before.key = key;
      before.attributes = attributes;
    }
    const duplicates = new Set(await this.#run(channel, names, args));
    return events.map(({ channel: on, id }, index) => ({ channel: on, id, duplicate: duplicates.has(index + 1) }));
  }

  async #run(channel: string, keys: readonly string[], args: readonly RedisArgument[]): Promise<readonly number[]> {
    const { connection, settings } = this.#parts;
    const { waitReplicas: replicas, timeoutMs, maxEvents } = settings;
    try {
      const answer =
        replicas === 0
          ? await connection.run(publishScript, keys, args)
          : await connection.runReplicated(publishScript, keys, args, {
              replicas,
              timeoutMs: Math.ceil(timeoutMs / 4),
            });
      return answer as number[];
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith(logFull)) throw error;
      const group = error.message.slice(logFull.length + 1).replace(/ script: .*$/, '');
      const bound = `${maxEvents} events; group '${group}' has not settled the oldest; consume or deleteGroup it`;
      throw new QueueFullError(`Channel '${channel}'`, bound);
    }
  }
}

function sizeOf({ body, attributes = '' }: OutgoingEvent): number {
  return Buffer.byteLength(body) + attributes.length;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const result: T[][] = [];
  for (let at = 0; at < items.length; at += size) result.push(items.slice(at, at + size));
  return result;
}

function finiteOr(value: number, otherwise: RedisArgument): RedisArgument {
  return value === Number.POSITIVE_INFINITY ? otherwise : Math.ceil(value);
}
