import {
  type CallOptions,
  CallScope,
  type Closeable,
  type CloseOptions,
  detach,
  Lifecycle,
  quietClock,
  Telemetry,
  ValidationError,
} from '../../core/index.js';
import { fullJitter } from '../../resilience/backoff.js';
import type { OutgoingEvent } from '../event-transport.js';
import type { EventDraft } from '../outgoing.js';
import type { OutboxTransaction } from './outbox-database.js';
import { type OutboxOptions, type OutboxSettings, outboxSettings } from './outbox-options.js';
import { OutboxRelay, type RelayStep } from './outbox-relay.js';
import type { OutboxBacklog } from './outbox-statements.js';

/** Settings of one {@link Outbox.publish}. */
export interface OutboxPublishOptions extends CallOptions {
  /** What consumers and the stream tell repetitions by. @default a new UUID */
  readonly id?: string;
  /** Events with the same key are handled in order by consumers that ask for it. */
  readonly key?: string;
}

/** Counts of one {@link Outbox} since it was made. */
export interface OutboxStats {
  /** True between `start` and `stop`. */
  readonly running: boolean;
  readonly published: number;
  /** Events set aside because the transport refused them for good. */
  readonly refused: number;
  /** Rounds that failed, to be tried again. */
  readonly failures: number;
}

const longestPauseMs = 30_000;
/** PostgreSQL's text cannot hold these: U+0000, and halves of surrogate pairs. */
const unstorable = /[\0\p{Surrogate}]/u;

/**
 * Commits a change and the news of it together: the event is a row of the same PostgreSQL transaction, and
 * a relay publishes it once that is committed. Neither can happen without the other, and consumers see each
 * id once within the stream's dedupe window, whatever crashes in between (C. Richardson, "Transactional
 * outbox").
 *
 * Events are published in the order in which they were written; the relay waits for transactions that are
 * still open in front of an event, at most `maxHoldMs`. Any number of processes may run a relay for one
 * table: one works at a time, and another takes over when it dies.
 *
 * @example
 * const outbox = new Outbox({ db, events });
 * await db.migrate([outboxTable()]);
 * outbox.start();
 * await db.transaction(async (tx) => {
 *   await tx.sql`insert into refunds (id) values (${id})`;
 *   await outbox.publish(tx, 'order.refunded', { id });
 * });
 */
export class Outbox implements Closeable {
  readonly #settings: OutboxSettings;
  readonly #telemetry: Telemetry;
  readonly #lifecycle: Lifecycle = new Lifecycle('Outbox');
  readonly #relay: OutboxRelay;
  /** The relay works one round at a time, whoever asks. */
  #round: Promise<unknown> = Promise.resolve();
  #loop: CallScope | undefined;
  #looping: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #woken = false;
  #published = 0;
  #refused = 0;
  #failures = 0;

  /** @throws ConfigurationError */
  constructor(options: OutboxOptions) {
    this.#settings = outboxSettings(options);
    this.#telemetry = new Telemetry('events', options.telemetry);
    this.#relay = new OutboxRelay(this.#settings, this.#telemetry.logger);
  }

  /**
   * Writes an event into the caller's transaction, in an envelope with the trace and correlation id that
   * are active here. It is published when that transaction commits, and never when it rolls back.
   *
   * @returns the event's id
   * @throws ValidationError for what {@link EventStream.publish} would refuse: the transaction then fails with it; the database's own errors
   */
  async publish(
    tx: OutboxTransaction,
    channel: string,
    data: unknown,
    options: OutboxPublishOptions = {},
  ): Promise<string> {
    const { id, key, ...call } = options;
    const draft = { channel, data, ...(id === undefined ? {} : { id }), ...(key === undefined ? {} : { key }) };
    const [written = ''] = await this.publishMany(tx, [draft], call);
    return written;
  }

  /**
   * Writes events into the caller's transaction, to be published in this order. All are checked before the
   * first is written.
   *
   * @returns their ids
   * @throws as {@link Outbox.publish}
   */
  async publishMany(
    tx: OutboxTransaction,
    events: readonly EventDraft[],
    options: CallOptions = {},
  ): Promise<readonly string[]> {
    return this.#lifecycle.call('publish to the outbox', options, async (scope) => {
      assertTransaction(tx, this.#settings.db);
      const prepared = await this.#settings.events.prepare(events);
      for (const event of prepared) assertStorable(event);
      for (const event of prepared) {
        scope.throwIfCancelled();
        await this.#settings.statements.insert(tx, event);
      }
      return prepared.map(({ id }) => id);
    });
  }

  /**
   * Publishes what is committed and may go now, then returns; for a job that runs now and then, or a test.
   *
   * @returns how many events were published; 0 also while another process relays
   * @throws what the database or the stream throws: nothing is lost, call again
   */
  async relay(options: CallOptions = {}): Promise<number> {
    return this.#lifecycle.call('relay of the outbox', options, async (scope) => {
      let published = 0;
      let step: RelayStep;
      do {
        step = await this.#step(scope);
        published += step.published;
      } while (step.more);
      return published;
    });
  }

  /** Relays in the background until `stop` or `close`; failures are logged and tried again with growing pauses. */
  start(): void {
    this.#lifecycle.assertOpen();
    if (this.#loop) return;
    const loop = new CallScope('relay of the outbox', { clock: quietClock });
    this.#loop = loop;
    this.#looping = detach(() => this.#run(loop));
  }

  /** Ends what `start` began; a batch that is under way is finished or rolled back first. */
  async stop(): Promise<void> {
    this.#loop?.cancel('stopped');
    this.#loop = undefined;
    await this.#looping;
  }

  /** Looks into the table now instead of after `pollMs`: for after a commit, or a LISTEN handler. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** What is in the table. */
  async backlog(options: CallOptions = {}): Promise<OutboxBacklog> {
    const { db, statements } = this.#settings;
    return this.#lifecycle.call('backlog of the outbox', options, (scope) =>
      db.transaction((tx) => statements.backlog(tx), { signal: scope.signal }),
    );
  }

  stats(): OutboxStats {
    return {
      running: this.#loop !== undefined,
      published: this.#published,
      refused: this.#refused,
      failures: this.#failures,
    };
  }

  /** Stops relaying. What is not published stays in the table, for this or another process. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #step(scope: CallScope): Promise<RelayStep> {
    const before = this.#round;
    const step = before.then(() => {
      scope.throwIfCancelled();
      return this.#relay.step(scope);
    });
    this.#round = step.catch(() => undefined);
    const done = await step;
    this.#published += done.published;
    this.#refused += done.refused;
    return done;
  }

  async #run(loop: CallScope): Promise<void> {
    let failures = 0;
    while (!loop.cancelled) {
      this.#woken = false;
      try {
        const { more } = await this.#step(loop);
        failures = 0;
        if (!more) await this.#pause(loop, this.#settings.pollMs);
      } catch (error) {
        if (loop.cancelled) return;
        failures += 1;
        this.#failures += 1;
        const delayMs = fullJitter(failures, longestPauseMs, this.#settings.backoff);
        this.#telemetry.logger.warn({ failures, delayMs, error }, 'the outbox could not be relayed; trying again');
        await loop.sleep(delayMs).catch(() => undefined);
      }
    }
  }

  /** Ends early when woken, also by a `wake` that came while the last step was under way. */
  async #pause(loop: CallScope, ms: number): Promise<void> {
    if (this.#woken) return;
    using pause = new CallScope('pause of the outbox', { parents: [loop], clock: quietClock });
    this.#wake = () => pause.cancel('woken');
    await pause.sleep(ms).catch(() => undefined);
    this.#wake = undefined;
  }
}

/** A database has `sql` too, outside of every transaction. */
function assertTransaction(tx: OutboxTransaction, db: object): void {
  if (typeof tx?.sql === 'function' && (tx as object) !== db) return;
  throw new ValidationError('Outbox.publish', [
    { path: ['tx'], message: 'must be the transaction that db.transaction(async (tx) => ...) gives' },
  ]);
}

function assertStorable({ channel, id, key = '' }: OutgoingEvent): void {
  for (const [field, text] of Object.entries({ channel, id, key })) {
    if (!unstorable.test(text)) continue;
    throw new ValidationError(`Event on '${channel}'`, [
      { path: [field], message: 'must not hold U+0000 or half a surrogate pair: PostgreSQL cannot store them' },
    ]);
  }
}
