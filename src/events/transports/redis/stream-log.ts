import type { RedisConnection } from '../../../drivers/redis/index.js';
import type { LogRange, StartPosition, StoredEvent } from '../../event-transport.js';
import { noSuchEvent } from '../../transport-errors.js';
import { before, isEarlier, type RawEntry, readEntry, timeOf } from './stream-entry.js';
import type { StreamKeys } from './stream-keys.js';

const pageSize = 500;

/** Reads the log of one channel, which is one stream for each partition. */
export class StreamLog {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #partitions: readonly StreamKeys[];

  constructor(connection: RedisConnection, channel: string, partitions: readonly StreamKeys[]) {
    this.#connection = connection;
    this.#channel = channel;
    this.#partitions = partitions;
  }

  /**
   * For each partition the entry after which a group begins, `$` for the end.
   *
   * @throws NotFoundError when `from` names an id that the log does not hold
   */
  async startOf(from: StartPosition): Promise<readonly string[]> {
    if (from === 'new') return this.#partitions.map(() => '$');
    return (await this.#firstOf(from)).map(before);
  }

  /** Oldest first, up to the newest entry of now; partitions are merged by time. */
  async *read(range: LogRange): AsyncGenerator<StoredEvent, void> {
    const starts = await this.#firstOf(range.from);
    const ends = await this.#lastOf(range.to);
    const pages = this.#partitions.map(({ log }, index) =>
      this.#entries(log, starts[index] ?? '-', ends[index] ?? '+'),
    );
    const heads = await Promise.all(pages.map((page) => page.next()));
    for (;;) {
      let earliest = -1;
      for (const [index, head] of heads.entries()) {
        const best = heads[earliest];
        if (!head.done && (!best || best.done || isEarlier(head.value[0], best.value[0]))) earliest = index;
      }
      const head = heads[earliest];
      const page = pages[earliest];
      if (!head || head.done || !page) return;
      const { event, only } = readEntry(this.#channel, head.value);
      if (only === undefined) yield event;
      heads[earliest] = await page.next();
    }
  }

  async #firstOf(from: Exclude<StartPosition, 'new'>): Promise<readonly string[]> {
    if (from === 'start') return this.#partitions.map(() => '0-0');
    if ('time' in from) return this.#partitions.map(() => `${Math.max(0, Math.ceil(from.time))}-0`);
    const found = await this.#find(from.id);
    // What other partitions took at that time may have come before or after: it is included.
    return this.#partitions.map((_, index) => (index === found.partition ? found.entry : `${timeOf(found.entry)}-0`));
  }

  async #lastOf(to: LogRange['to']): Promise<readonly string[]> {
    if (to === undefined) return Promise.all(this.#partitions.map(({ log }) => this.#newest(log)));
    if ('time' in to) return this.#partitions.map(() => String(Math.floor(to.time)));
    const found = await this.#find(to.id);
    return this.#partitions.map((_, index) => (index === found.partition ? found.entry : `${timeOf(found.entry)}`));
  }

  async #newest(log: string): Promise<string> {
    const [newest] = (await this.#connection.command('XREVRANGE', log, '+', '-', 'COUNT', 1)) as RawEntry[];
    return newest?.[0] ?? '0-0';
  }

  /** Looks from the newest to the oldest, as those who ask mostly mean a late one. */
  async #find(id: string): Promise<{ readonly partition: number; readonly entry: string }> {
    for (const [partition, { log }] of this.#partitions.entries()) {
      const entry = await this.#findIn(log, id);
      if (entry !== undefined) return { partition, entry };
    }
    throw noSuchEvent(this.#channel, id);
  }

  async #findIn(log: string, id: string): Promise<string | undefined> {
    let end = '+';
    for (;;) {
      const page = (await this.#connection.command('XREVRANGE', log, end, '-', 'COUNT', pageSize)) as RawEntry[];
      for (const raw of page) {
        const { entry, event, only } = readEntry(this.#channel, raw);
        if (event.id === id && only === undefined) return entry;
      }
      const last = page.at(-1);
      if (!last || page.length < pageSize) return undefined;
      end = `(${last[0]}`;
    }
  }

  async *#entries(log: string, from: string, to: string): AsyncGenerator<RawEntry, void> {
    let start = from;
    for (;;) {
      const page = (await this.#connection.command('XRANGE', log, start, to, 'COUNT', pageSize)) as RawEntry[];
      yield* page;
      const last = page.at(-1);
      if (!last || page.length < pageSize) return;
      start = `(${last[0]}`;
    }
  }
}
