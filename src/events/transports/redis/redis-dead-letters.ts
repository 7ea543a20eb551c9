import type { RedisConnection } from '../../../drivers/redis/index.js';
import type { StoredDeadLetter } from '../../event-transport.js';
import { requeueScript } from './log-scripts.js';
import { isEarlier, type RawEntry, timeOf } from './stream-entry.js';
import type { StreamKeys } from './stream-keys.js';

const pageSize = 100;
/** Partition, then the entry in that partition's dead letters. */
const letterId = /^(\d+):(\d+-\d+)$/;

/** What groups gave up on one channel. */
export class RedisDeadLetters {
  readonly #connection: RedisConnection;
  readonly #partitions: readonly StreamKeys[];

  constructor(connection: RedisConnection, partitions: readonly StreamKeys[]) {
    this.#connection = connection;
    this.#partitions = partitions;
  }

  /** Oldest first. */
  async *list(): AsyncGenerator<StoredDeadLetter, void> {
    const lists = this.#partitions.map((keys, partition) => this.#listOf(keys, partition));
    const heads = await Promise.all(lists.map((list) => list.next()));
    for (;;) {
      let earliest = -1;
      for (const [index, head] of heads.entries()) {
        const best = heads[earliest];
        if (!head.done && (!best || best.done || isEarlier(head.value.entry, best.value.entry))) earliest = index;
      }
      const head = heads[earliest];
      const list = lists[earliest];
      if (!head || head.done || !list) return;
      yield head.value.letter;
      heads[earliest] = await list.next();
    }
  }

  /** How many were given back. */
  async requeue(letterIds: readonly string[]): Promise<number> {
    let count = 0;
    for (const id of letterIds) count += await this.#requeue(id);
    return count;
  }

  async #requeue(id: string): Promise<number> {
    const [, partition = '', entry = ''] = letterId.exec(id) ?? [];
    const keys = this.#partitions[Number(partition)];
    if (!keys || entry === '') return 0;
    const [raw] = (await this.#connection.command('XRANGE', keys.dead, entry, entry)) as RawEntry[];
    const letter = raw && readLetter(raw, Number(partition));
    if (!letter) return 0;
    const { group, event } = letter;
    const args = [group, entry, event.id, event.key ?? '', event.attributes ?? '', event.body];
    return Number(await this.#connection.run(requeueScript, [keys.log, keys.dead, keys.wake], args));
  }

  async *#listOf(
    { dead }: StreamKeys,
    partition: number,
  ): AsyncGenerator<{ readonly entry: string; readonly letter: StoredDeadLetter }, void> {
    let start = '-';
    for (;;) {
      const page = (await this.#connection.command('XRANGE', dead, start, '+', 'COUNT', pageSize)) as RawEntry[];
      for (const raw of page) {
        const letter = readLetter(raw, partition);
        if (letter) yield { entry: raw[0], letter };
      }
      const last = page.at(-1);
      if (!last || page.length < pageSize) return;
      start = `(${last[0]}`;
    }
  }
}

/** Undefined for what another program wrote there. */
function readLetter([entry, fields]: RawEntry, partition: number): StoredDeadLetter | undefined {
  try {
    const letter = JSON.parse(fields[1] ?? '') as Omit<StoredDeadLetter, 'letterId' | 'time'>;
    return { ...letter, letterId: `${partition}:${entry}`, time: timeOf(entry) };
  } catch {
    return undefined;
  }
}
