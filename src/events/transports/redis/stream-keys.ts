/** The Redis keys of one partition of one channel. They share a hash tag: one slot, so one script can use them. */
export class StreamKeys {
  /** The stream: one entry per event, with the fields `id`, `key` (where it has one) and `body`. */
  readonly log: string;
  /** A stream of what groups gave up. */
  readonly dead: string;
  /** A hash: each group and whether it is ordered. */
  readonly groups: string;
  /** Where members of groups are told that there is something to take: a sharded channel, not a key. */
  readonly wake: string;
  /** Two hashes: each id that was stored within its dedupe window, until when it counts and the batch it came with. */
  readonly ids: readonly [string, string];
  readonly #tag: string;

  constructor(prefix: string, channel: string, partition: number) {
    this.#tag = `{${prefix}:${channel}:${partition}}`;
    this.log = `${this.#tag}:log`;
    this.dead = `${this.#tag}:dead`;
    this.groups = `${this.#tag}:groups`;
    this.wake = `${this.#tag}:wake`;
    this.ids = [`${this.#tag}:ids:0`, `${this.#tag}:ids:1`];
  }

  /** Says that a batch was stored, for those that are sent without a dedupe window. */
  sent(token: string): string {
    return `${this.#tag}:sent:${token}`;
  }

  of(group: string): GroupKeys {
    return {
      again: `${this.#tag}:again:${group}`,
      behind: `${this.#tag}:behind:${group}`,
      locks: `${this.#tag}:locks:${group}`,
    };
  }
}

/** What one group keeps beside its consumer group in Redis. */
export interface GroupKeys {
  /** Sorted set of entries to be delivered again, by the server's time in milliseconds. */
  readonly again: string;
  /** Sorted set of entries that wait behind an earlier one of their key, by key and entry. */
  readonly behind: string;
  /** Hash: for each key with an event that is not settled, that event's entry. */
  readonly locks: string;
}

/** Keys of all channels together. */
export function registryKeys(prefix: string): { readonly channels: string; readonly patterns: string } {
  return { channels: `{${prefix}}:channels`, patterns: `{${prefix}}:patterns` };
}

/** The partition of an event: FNV-1a (draft-eastlake-fnv) of its key, else of its id. */
export function partitionOf(text: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % partitions;
}
