import { performance } from 'node:perf_hooks';
import { ClosedError } from '../../../core/index.js';
import { isNoGroup, isPassing, type RedisArgument, type RedisConnection } from '../../../drivers/redis/index.js';
import type { Delivery, Outcome } from '../../event-transport.js';
import { BatchSender } from './batch-sender.js';
import { beatScript, leaveScript, settleScript, takeScript } from './group-scripts.js';
import { joinScript } from './log-scripts.js';
import { type RawEntry, type RawRow, readEntry, readRow, type StreamEntry } from './stream-entry.js';
import type { GroupKeys, StreamKeys } from './stream-keys.js';

/** What a {@link GroupMember} is made of. */
export interface GroupMemberParts {
  readonly connection: RedisConnection;
  readonly channel: string;
  readonly keys: StreamKeys;
  readonly group: string;
  /** Unique among the members of the group. */
  readonly consumer: string;
  readonly ordered: boolean;
  /** The entry after which the group begins, should it have to be made again. */
  readonly position: string;
  readonly deadAfterMs: number;
  readonly maxDeadLetters: number;
  /** Called when there may be something to take. */
  readonly onWake: () => void;
}

interface Settlement {
  readonly kind: Outcome['kind'];
  readonly delivery: RedisDelivery;
  readonly delayMs: number;
  readonly letter: string;
}

type TakeAnswer = readonly [
  dueInMs: number,
  retried: readonly (readonly [...RawEntry, attempt: number])[],
  row: RawRow['row'],
  more: number,
  changes: RawRow['changes'],
  others: RawRow['others'],
];

const maxSettlements = 512;
/** After this part of the time in which a member dies it is watched: that of one beat and a half. */
const silentShare = 0.5;

/** One member of a consumer group on one partition of one channel. */
export class GroupMember {
  /** True when there may be something to take at once. */
  dirty = true;
  readonly #parts: GroupMemberParts;
  readonly #keys: GroupKeys;
  readonly #held: Map<string, RedisDelivery> = new Map();
  readonly #settlements: BatchSender<Settlement, Settlement>;
  /** Settled, and not yet on the way. */
  #collected: Settlement[] = [];
  #noting: Promise<void> | undefined;
  /** When entries that this member wants again are due, by a clock that never jumps. */
  readonly #own: Map<string, number> = new Map();
  #dueAt: number = Number.POSITIVE_INFINITY;
  #position: string;
  /** Since when each of the others has been silent, by a clock that never jumps. */
  #silent: Map<string, number> = new Map();
  /** Taking and beating take turns: what is on its way to this member must not look lost. */
  #turn: Promise<unknown> = Promise.resolve();
  #left = false;

  constructor(parts: GroupMemberParts) {
    this.#parts = parts;
    this.#keys = parts.keys.of(parts.group);
    this.#position = parts.position;
    this.#settlements = new BatchSender({
      name: `settle events of '${parts.channel}' in group '${parts.group}'`,
      send: (items) => this.#settle(items),
      maxBatchItems: maxSettlements,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
  }

  /** When the next event is due again, in milliseconds of `performance.now`. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Takes up to `most` events that may be handled now. */
  async take(most: number): Promise<readonly Delivery[]> {
    return this.#inTurn(async () => {
      if (this.#left) return [];
      this.dirty = false;
      const now = performance.now();
      const due = [...this.#own].filter(([, at]) => at <= now).map(([entry]) => entry);
      const [dueInMs, retried, row, more, changes, others] = await this.#take(most, due);
      for (const entry of due) this.#own.delete(entry);
      const own = Math.min(Number.POSITIVE_INFINITY, ...this.#own.values());
      this.#dueAt = Math.min(own, dueInMs < 0 ? Number.POSITIVE_INFINITY : performance.now() + dueInMs);
      if (more === 1) this.dirty = true;
      const deliveries: Delivery[] = [];
      const { channel } = this.#parts;
      for (const [entry, fields, attempt] of retried) {
        this.#accept(readEntry(channel, [entry, fields]), attempt, deliveries);
      }
      const fresh = readRow(channel, { row, changes, others });
      for (const stored of fresh) this.#accept(stored, 1, deliveries);
      this.#position = fresh.at(-1)?.entry ?? this.#position;
      return deliveries;
    });
  }

  /** Shows that this member lives, and puts back in line what nobody handles. */
  async beat(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#left) return;
      const { deadAfterMs } = this.#parts;
      const held = [...this.#held.keys()];
      const now = performance.now();
      const long = [...this.#silent].filter(([, since]) => now - since >= deadAfterMs * (1 - silentShare));
      const names = long.map(([name]) => name);
      const args = [deadAfterMs, deadAfterMs * silentShare, held.length, ...held, ...names];
      try {
        const silent = (await this.#run(beatScript, [this.#parts.keys.wake], args)) as string[];
        this.#silent = new Map(silent.map((name) => [name, this.#silent.get(name) ?? now]));
      } catch (error) {
        if (!isNoGroup(error)) throw error;
        await this.#rejoin();
      }
    });
  }

  /** Settles what was settled, then gives back what is held. */
  async leave(): Promise<void> {
    this.#left = true;
    this.#held.clear();
    await this.#noting;
    await this.#settlements.settled();
    await this.#run(leaveScript, [this.#parts.keys.wake], []).catch((error: unknown) => {
      if (!isNoGroup(error)) throw error;
    });
    this.end();
  }

  /** Stops at once; the others take over what it holds when it was silent for long enough. */
  end(): void {
    this.#left = true;
    this.#held.clear();
    this.#settlements.close(new ClosedError(`Consumer of '${this.#parts.channel}'`));
  }

  /** Those of one turn of the event loop go out together, and share a promise. */
  settle(delivery: RedisDelivery, outcome: Outcome): Promise<void> {
    if (delivery.settled || this.#held.get(delivery.stored.entry) !== delivery) return Promise.resolve();
    delivery.settled = true;
    const delayMs = outcome.kind === 'retry' ? Math.ceil(outcome.delayMs) : 0;
    const letter = outcome.kind === 'dead' ? this.#letter(delivery, outcome.reason) : '';
    this.#collected.push({ kind: outcome.kind, delivery, delayMs, letter });
    this.#noting ??= Promise.resolve().then(() => this.#note());
    return this.#noting;
  }

  async #note(): Promise<void> {
    const items = this.#collected;
    this.#collected = [];
    this.#noting = undefined;
    try {
      await this.#settlements.add(items, 0);
    } catch (error) {
      if (!this.#left) throw error;
    }
  }

  #accept(stored: StreamEntry, attempt: number, deliveries: Delivery[]): void {
    const delivery = new RedisDelivery(this, stored, attempt);
    // Handling it twice at once helps nobody. One that is being settled was given out anew after that.
    if (this.#held.get(stored.entry)?.settled === false) return;
    this.#held.set(stored.entry, delivery);
    if (stored.only === undefined || stored.only === this.#parts.group) deliveries.push(delivery);
    else this.settle(delivery, { kind: 'ack' }).catch(() => undefined);
  }

  #expect(entry: string, delayMs: number): void {
    const at = performance.now() + delayMs;
    this.#own.set(entry, at);
    this.#dueAt = Math.min(this.#dueAt, at);
    this.#parts.onWake();
  }

  #wakeUp(): void {
    this.dirty = true;
    this.#parts.onWake();
  }

  async #take(most: number, due: readonly string[]): Promise<TakeAnswer> {
    const args = [most, ...due];
    try {
      return (await this.#run(takeScript, [], args)) as TakeAnswer;
    } catch (error) {
      if (!isNoGroup(error)) throw error;
      await this.#rejoin();
      return (await this.#run(takeScript, [], args)) as TakeAnswer;
    }
  }

  /** Makes the group again after Redis lost it, behind the last event that this member got. */
  async #rejoin(): Promise<void> {
    const { connection, keys, group, ordered } = this.#parts;
    await connection.run(joinScript, [keys.log, keys.groups], [group, ordered ? 1 : 0, this.#position, 1]);
    this.dirty = true;
  }

  async #settle(items: readonly Settlement[]): Promise<readonly Settlement[]> {
    const { connection, keys, group, ordered, maxDeadLetters } = this.#parts;
    try {
      if (!ordered && items.every(({ kind }) => kind === 'ack')) {
        await connection.command('XACK', keys.log, group, ...items.map(({ delivery }) => delivery.stored.entry));
      } else {
        const args: RedisArgument[] = [maxDeadLetters];
        for (const { kind, delivery, delayMs, letter } of items) {
          const { stored, attempt } = delivery;
          args.push(kind, stored.entry, attempt, stored.event.key ?? '', delayMs, letter);
        }
        await this.#run(settleScript, [keys.dead, keys.wake], args);
      }
    } catch (error) {
      // Redis has lost the group: there is nothing left to settle.
      if (!isNoGroup(error)) throw error;
    }
    for (const item of items) this.#noted(item);
    return items;
  }

  /** Redis has it: until here it is held, as Redis may have counted it as out. */
  #noted({ kind, delivery, delayMs }: Settlement): void {
    const { entry } = delivery.stored;
    if (this.#held.get(entry) === delivery) this.#held.delete(entry);
    if (kind === 'retry') this.#expect(entry, delayMs);
    else if (kind === 'return' || this.#parts.ordered) this.#wakeUp();
  }

  #run(
    script: Parameters<RedisConnection['run']>[0],
    keys: readonly string[],
    args: readonly RedisArgument[],
  ): Promise<unknown> {
    const { connection, group, consumer, ordered } = this.#parts;
    const { again, behind, locks } = this.#keys;
    const common = [group, consumer, ordered ? 1 : 0];
    return connection.run(script, [this.#parts.keys.log, again, behind, locks, ...keys], [...common, ...args]);
  }

  #letter({ stored: { event }, attempt: attempts }: RedisDelivery, reason: string): string {
    return JSON.stringify({ group: this.#parts.group, reason, attempts, event });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result.catch((error: unknown) => {
      if (!isPassing(error)) return;
      this.dirty = true;
    });
    return result;
  }
}

class RedisDelivery implements Delivery {
  readonly stored: StreamEntry;
  readonly attempt: number;
  settled = false;
  readonly #member: GroupMember;

  constructor(member: GroupMember, stored: StreamEntry, attempt: number) {
    this.#member = member;
    this.stored = stored;
    this.attempt = attempt;
  }

  get event(): StreamEntry['event'] {
    return this.stored.event;
  }

  settle(outcome: Outcome): Promise<void> {
    return this.#member.settle(this, outcome);
  }
}
