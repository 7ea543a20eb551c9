import { randomBytes } from 'node:crypto';
import {
  CallScope,
  ClosedError,
  type CloseOptions,
  ConnectionError,
  Lifecycle,
  SaflaError,
  TimeoutError,
  ValidationError,
} from '../../../core/index.js';
import { isPassing, RedisConnection, RedisSubscriber, redisFailure } from '../../../drivers/redis/index.js';
import type { BroadcastGap, BroadcastReceiver, BroadcastTransport } from '../../broadcast-transport.js';
import { BatchSender } from './batch-sender.js';
import { broadcastScript } from './broadcast-script.js';
import { QueueBudget } from './queue-budget.js';
import { type RedisPubSubOptions, type RedisPubSubSettings, redisPubSubSettings } from './redis-pub-sub-options.js';

interface Message {
  readonly channel: string;
  readonly message: string;
}

type Lane = BatchSender<Message, number>;

const maxBatchItems = 256;
const maxBatchBytes = 1_048_576;
const maxIdleLanes = 1_000;
const retryMs = 100;

/**
 * Broadcast by Redis pub/sub. A message whose answer a lost connection took is sent again by a token, by which
 * Redis broadcasts it once, unless it lost its memory in between. Listeners learn when they may have missed something.
 */
export class RedisPubSubTransport implements BroadcastTransport {
  readonly name: string = 'Redis pub/sub transport';
  readonly #settings: RedisPubSubSettings;
  readonly #lifecycle: Lifecycle = new Lifecycle(this.name);
  readonly #connection: RedisConnection;
  readonly #subscriber: RedisSubscriber;
  readonly #budget: QueueBudget;
  readonly #lanes: Map<string, Lane> = new Map();
  readonly #origin: string = randomBytes(9).toString('base64url');
  readonly #gapListeners: Set<(gap: BroadcastGap) => void> = new Set();

  /** @throws ConfigurationError */
  constructor(options: RedisPubSubOptions) {
    this.#settings = redisPubSubSettings(options);
    const { sharded, timeoutMs, maxQueuedEvents, maxQueuedBytes } = this.#settings;
    this.#connection = new RedisConnection({ url: options.url, client: options.client }, timeoutMs);
    this.#budget = new QueueBudget('Queue of messages for Redis', maxQueuedEvents, maxQueuedBytes);
    this.#subscriber = new RedisSubscriber(this.#connection, {
      sharded,
      onGap: ({ from, to }) => {
        for (const listener of this.#gapListeners) listener({ from: new Date(from), to: new Date(to) });
      },
    });
  }

  async broadcast(channel: string, message: string): Promise<number> {
    this.#lifecycle.assertOpen();
    const [receivers = 0] = await this.#lane(channel).add([{ channel, message }], Buffer.byteLength(message));
    return receivers;
  }

  async listen(channel: string, receive: BroadcastReceiver): Promise<() => Promise<void>> {
    const subject = `subscribe to '${channel}'`;
    return this.#lifecycle.call(subject, {}, async () => {
      const stop = await this.#inTime(subject, (scope) => {
        const adding = this.#subscriber.add(channel, receive);
        // The caller was told that it is not subscribed.
        void adding.then((undo) => (scope.cancelled ? undo() : undefined)).catch(() => undefined);
        return adding;
      });
      return () => this.#unless(stop());
    });
  }

  onGap(listener: (gap: BroadcastGap) => void): () => void {
    this.#gapListeners.add(listener);
    return () => this.#gapListeners.delete(listener);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, async (remainingMs) => {
      const lanes = [...this.#lanes.values()];
      using scope = new CallScope('close', { timeoutMs: Math.max(1, remainingMs / 2) });
      await scope.run(() => Promise.all(lanes.map((lane) => lane.settled()))).catch(() => undefined);
      for (const lane of lanes) lane.close(new ClosedError(this.name));
      this.#gapListeners.clear();
      this.#subscriber.close();
      this.#connection.disconnect();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Messages go out in their order: all of them, or on a cluster those of one channel. */
  #lane(channel: string): Lane {
    const name = this.#settings.sharded ? hashTagOf(channel) : '';
    const known = this.#lanes.get(name);
    if (known) return known;
    for (const [idle, lane] of this.#lanes.size >= maxIdleLanes ? this.#lanes : []) {
      if (lane.pending === 0) this.#lanes.delete(idle);
    }
    const lane: Lane = new BatchSender({
      name: 'publish',
      send: (messages, token) => this.#send(name, messages, token),
      maxBatchItems,
      maxBatchBytes,
      budget: this.#budget,
      timeoutMs: this.#settings.timeoutMs,
      reasonOf: (failure) => this.#connection.reasonOf(failure),
      origin: `${randomBytes(6).toString('base64url')}.`,
    });
    this.#lanes.set(name, lane);
    return lane;
  }

  async #send(tag: string, messages: readonly Message[], token: string): Promise<readonly number[]> {
    const { sharded } = this.#settings;
    const marker = `safla:bus:${this.#origin}`;
    const keys = sharded ? [`${marker}:{${tag}}`] : [marker];
    const args = [token, sharded ? 'SPUBLISH' : 'PUBLISH'];
    for (const { channel, message } of messages) args.push(channel, message);
    const answer = String(await this.#connection.run(broadcastScript, keys, args));
    return answer.split(' ').map(Number);
  }

  /** Tries until it works or its time is over. */
  async #inTime<T>(subject: string, work: (scope: CallScope) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#settings;
    using scope = new CallScope(subject, { timeoutMs });
    let failure: unknown;
    for (;;) {
      try {
        return await scope.run(() => work(scope));
      } catch (error) {
        if (error instanceof TimeoutError || scope.cancelled) break;
        if (!isPassing(error)) throw redisFailure(subject, error);
        failure = error;
      }
      await scope.sleep(retryMs).catch(() => undefined);
    }
    failure = this.#connection.reasonOf(failure);
    const reason = failure === undefined ? undefined : redisFailure(subject, failure);
    const why = reason ? ` (${reason.message})` : '';
    throw new ConnectionError(`${subject}: Redis gave no answer within ${timeoutMs} ms${why}`, { cause: reason });
  }

  /** Nobody is told any more; that Redis knows it too is worth a moment, not a failure. */
  async #unless(work: Promise<void>): Promise<void> {
    using scope = new CallScope('unsubscribe', { timeoutMs: this.#settings.timeoutMs });
    await scope
      .run(() => work)
      .catch((error: unknown) => {
        if (SaflaError.is(error) || isPassing(error)) return;
        throw redisFailure('unsubscribe', error);
      });
  }
}

/** The part of a channel's name that Redis Cluster hashes, which a key can hold in braces. @throws ValidationError */
function hashTagOf(channel: string): string {
  const tag = /^[^{]*\{([^}]+)\}/.exec(channel)?.[1] ?? channel;
  if (!tag.includes('}')) return tag;
  const message = "must not contain '}' without a hash tag before it, where pub/sub is sharded";
  throw new ValidationError('channel', [{ path: [], message }]);
}

/**
 * Broadcast by Redis pub/sub. It stays open until you close it; a `client` of yours stays open after that.
 *
 * @throws ConfigurationError
 * @example const bus = new EventBusIntegration({ transport: redisPubSub({ client: cluster, sharded: true }) });
 */
export function redisPubSub(options: RedisPubSubOptions): RedisPubSubTransport {
  return new RedisPubSubTransport(options);
}
