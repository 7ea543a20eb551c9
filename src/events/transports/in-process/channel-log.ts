import { QueueFullError } from '../../../core/index.js';
import type { LogRange, OutgoingEvent, Receipt, StartPosition, StoredEvent } from '../../event-transport.js';
import { SlidingArray } from '../../sliding-array.js';
import { noSuchEvent } from '../../transport-errors.js';
import { DeadLetterList } from './dead-letter-list.js';
import { GroupCursor } from './group-cursor.js';
import type { InProcessSettings } from './in-process-options.js';
import { bytesOf, type LogEntry } from './log-entry.js';
import { RecentIds } from './recent-ids.js';

/** One channel: its events by position, the groups that read them, and what those gave up. */
export class ChannelLog {
  readonly deadLetters: DeadLetterList;
  readonly #channel: string;
  readonly #settings: InProcessSettings;
  readonly #groups: Map<string, GroupCursor> = new Map();
  readonly #recent: RecentIds;
  readonly #entries: SlidingArray<LogEntry> = new SlidingArray();
  #bytes = 0;
  #time = 0;
  #dropped = 0;

  constructor(channel: string, settings: InProcessSettings) {
    this.#channel = channel;
    this.#settings = settings;
    this.#recent = new RecentIds(settings.maxIds);
    this.deadLetters = new DeadLetterList(settings);
  }

  /** Position of the oldest event that is kept. */
  get first(): number {
    return this.#entries.first;
  }

  /** Position the next event will get. */
  get end(): number {
    return this.#entries.end;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Events dropped although a group had still to settle them. */
  get dropped(): number {
    return this.#dropped;
  }

  get forgottenIds(): number {
    return this.#recent.forgotten;
  }

  at(position: number): LogEntry | undefined {
    return this.#entries.at(position);
  }

  /** @throws QueueFullError when there is no room */
  append(event: OutgoingEvent, dedupeWindowMs: number): Receipt {
    const { channel, id } = event;
    const time = this.now();
    if (this.#recent.has(id, time)) return { channel, id, duplicate: true };
    const bytes = bytesOf(event);
    this.#makeRoom(bytes);
    this.#entries.push({ position: this.end, bytes, event: { ...event, time } });
    this.#bytes += bytes;
    this.#recent.remember(id, time, dedupeWindowMs);
    for (const group of this.#groups.values()) group.wake();
    return { channel, id, duplicate: false };
  }

  /** The clock, held where it was when it jumps back, so that times in the log never fall. */
  now(): number {
    this.#time = Math.max(this.#time, this.#settings.clock.now());
    return this.#time;
  }

  group(name: string): GroupCursor | undefined {
    return this.#groups.get(name);
  }

  /** The group's cursor, made at `from` when this channel has not met the group. */
  joinGroup(name: string, from: StartPosition, ordered: boolean): GroupCursor {
    const known = this.#groups.get(name);
    if (known) return known;
    const start = from === 'new' ? this.end : this.#locate(from);
    const cursor = new GroupCursor(name, this, start, ordered, this.#settings.clock);
    this.#groups.set(name, cursor);
    return cursor;
  }

  /** Gives a dead letter back to its group. False when either is gone. */
  requeue(letterId: string): boolean {
    const letter = this.deadLetters.get(letterId);
    const group = letter && this.#groups.get(letter.group);
    if (!group) return false;
    this.deadLetters.delete(letterId);
    group.requeue(letter.event);
    return true;
  }

  /** Forgets a group and what it had to settle. False when there was none. */
  deleteGroup(name: string): boolean {
    this.#groups.get(name)?.close();
    return this.#groups.delete(name);
  }

  *read(range: LogRange): Generator<StoredEvent> {
    const from = this.#locate(range.from);
    const end = range.to === undefined ? this.end : this.#endOf(range.to);
    for (let position = from; position < end; position++) {
      position = Math.max(position, this.first);
      const entry = position < end ? this.at(position) : undefined;
      if (entry) yield entry.event;
    }
  }

  close(): void {
    for (const group of this.#groups.values()) group.close();
  }

  #locate(from: Exclude<StartPosition, 'new'>): number {
    if (from === 'start') return this.first;
    if ('id' in from) return this.#positionOf(from.id);
    return this.#firstWhere((entry) => entry.event.time >= from.time);
  }

  #endOf(to: NonNullable<LogRange['to']>): number {
    if ('id' in to) return this.#positionOf(to.id) + 1;
    return this.#firstWhere((entry) => entry.event.time > to.time);
  }

  /** Binary search: `reached` is false up to some position and true from there on. */
  #firstWhere(reached: (entry: LogEntry) => boolean): number {
    let low = this.first;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const entry = this.at(middle);
      if (entry && reached(entry)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #positionOf(id: string): number {
    for (let position = this.end - 1; position >= this.first; position--) {
      if (this.at(position)?.event.id === id) return position;
    }
    throw noSuchEvent(this.#channel, id);
  }

  #makeRoom(bytes: number): void {
    const { maxItems, maxBytes, overflow } = this.#settings;
    if (bytes > maxBytes) throw new QueueFullError(`Channel '${this.#channel}'`, `${maxBytes} bytes`);
    while (this.#entries.length >= maxItems || this.#bytes + bytes > maxBytes) {
      const owing = [...this.#groups.values()].filter((group) => group.owes(this.first));
      if (owing.length > 0 && overflow === 'reject') {
        const bound = `${maxItems} events or ${maxBytes} bytes; group '${owing[0]?.name}' has not settled the oldest; consume or deleteGroup it`;
        throw new QueueFullError(`Channel '${this.#channel}'`, bound);
      }
      const lost = owing.filter((group) => group.drop(this.first));
      if (lost.length > 0) this.#dropped += 1;
      this.#bytes -= this.at(this.first)?.bytes ?? 0;
      this.#entries.shift();
    }
  }
}
