import { BoundedQueue, type Clock } from '../../../core/index.js';
import type { Outcome, StoredDeadLetter, StoredEvent } from '../../event-transport.js';
import type { LogEntry } from './log-entry.js';
import { OwedEvent } from './owed-event.js';
import { RetryTimers } from './retry-timers.js';

/** The part of a channel's log that a group reads. */
interface Log {
  readonly end: number;
  at(position: number): LogEntry | undefined;
  now(): number;
  readonly deadLetters: { add(letter: Omit<StoredDeadLetter, 'letterId'>): void };
}

/** Somebody to tell that the group has events to take. */
export interface GroupMember {
  wake(): void;
}

/** The event that holds a key, and those of the same key that wait behind it. */
interface KeyLine {
  holder: OwedEvent;
  readonly behind: BoundedQueue<OwedEvent>;
}

/**
 * Where one group stands on one channel: the next new event, what was handed out or waits for
 * another attempt, and, when ordered, what waits behind an earlier event of its key.
 */
export class GroupCursor {
  readonly name: string;
  readonly #log: Log;
  readonly #ordered: boolean;
  readonly #retries: RetryTimers;
  readonly #members: Set<GroupMember> = new Set();
  /** Every event that was taken from the log and is not settled, by position. */
  readonly #owed: Map<number, OwedEvent> = new Map();
  /** Those of them that may be handed out again, before anything new. */
  readonly #ready: BoundedQueue<OwedEvent> = unbounded('ready events');
  /** When ordered: the keys with an event that is out, ready or between attempts. */
  readonly #lines: Map<string, KeyLine> = new Map();
  #next: number;
  #requeued = 0;

  constructor(name: string, log: Log, start: number, ordered: boolean, clock: Clock) {
    this.name = name;
    this.#log = log;
    this.#next = start;
    this.#ordered = ordered;
    this.#retries = new RetryTimers(clock, (owed) => this.#makeReady(owed));
  }

  /** Events the group has still to settle. */
  get lag(): number {
    return this.#owed.size + this.#log.end - this.#next;
  }

  /** How many consume it now. */
  get members(): number {
    return this.#members.size;
  }

  join(member: GroupMember): void {
    this.#members.add(member);
    this.#retries.resume();
  }

  leave(member: GroupMember): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#retries.pause();
    this.wake();
  }

  /** Tells the members, the one that was first last time at the end, so that all get their share. */
  wake(): void {
    const [first, ...others] = this.#members;
    if (!first) return;
    if (others.length > 0) {
      this.#members.delete(first);
      this.#members.add(first);
    }
    first.wake();
    for (const member of others) member.wake();
  }

  /** Hands out the next event, if one may be. */
  take(): OwedEvent | undefined {
    const owed = this.#ready.shift() ?? this.#nextFromLog();
    owed?.handOut();
    return owed;
  }

  settle(owed: OwedEvent, outcome: Outcome): void {
    if (outcome.kind === 'retry') {
      owed.waitBy(this.#retries.add(owed, outcome.delayMs));
    } else if (outcome.kind === 'return') {
      owed.uncount();
      this.#makeReady(owed);
    } else {
      if (outcome.kind === 'dead') this.#bury(owed, outcome.reason);
      this.#finish(owed);
    }
  }

  /** Takes back an event that the group gave up, as a first attempt. */
  requeue(event: StoredEvent): void {
    this.#requeued += 1;
    const owed = new OwedEvent({ position: -this.#requeued, bytes: 0, event });
    this.#owed.set(owed.entry.position, owed);
    if (this.#claimKey(owed)) this.#makeReady(owed);
  }

  /** True while the event at this position is not settled by the group. */
  owes(position: number): boolean {
    return position >= this.#next || this.#owed.has(position);
  }

  /** Gives up the oldest event of the log. False when somebody is handling it: it is not lost then. */
  drop(position: number): boolean {
    if (position >= this.#next) {
      this.#next = position + 1;
      return true;
    }
    const owed = this.#owed.get(position);
    if (!owed || owed.out) return false;
    owed.stopWaiting();
    this.#finish(owed);
    return true;
  }

  close(): void {
    for (const owed of this.#owed.values()) owed.stopWaiting();
    this.#members.clear();
  }

  #nextFromLog(): OwedEvent | undefined {
    while (this.#next < this.#log.end) {
      const entry = this.#log.at(this.#next);
      this.#next += 1;
      if (!entry) continue;
      const owed = new OwedEvent(entry);
      this.#owed.set(entry.position, owed);
      if (this.#claimKey(owed)) return owed;
    }
    return undefined;
  }

  /** False when an earlier event holds the key: this one then waits behind it. */
  #claimKey(owed: OwedEvent): boolean {
    const key = this.#ordered ? owed.entry.event.key : undefined;
    if (key === undefined) return true;
    const line = this.#lines.get(key);
    if (!line) {
      this.#lines.set(key, { holder: owed, behind: unbounded('events behind one key') });
      return true;
    }
    owed.waitBy(line.behind.push(owed));
    return false;
  }

  #releaseKey(owed: OwedEvent): void {
    const { key } = owed.entry.event;
    const line = key === undefined ? undefined : this.#lines.get(key);
    if (key === undefined || line?.holder !== owed) return;
    const next = line.behind.shift();
    if (!next) {
      this.#lines.delete(key);
      return;
    }
    line.holder = next;
    this.#makeReady(next);
  }

  #bury({ attempt: attempts, entry: { event } }: OwedEvent, reason: string): void {
    this.#log.deadLetters.add({ group: this.name, reason, attempts, time: this.#log.now(), event });
  }

  #finish(owed: OwedEvent): void {
    this.#owed.delete(owed.entry.position);
    this.#releaseKey(owed);
  }

  #makeReady(owed: OwedEvent): void {
    owed.waitBy(this.#ready.push(owed));
    this.wake();
  }
}

/** What these hold is bounded by the channel's log. */
function unbounded(name: string): BoundedQueue<OwedEvent> {
  return new BoundedQueue<OwedEvent>({ name, maxItems: Number.POSITIVE_INFINITY });
}
