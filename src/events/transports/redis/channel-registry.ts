import { performance } from 'node:perf_hooks';
import type { RedisConnection } from '../../../drivers/redis/index.js';
import { registryKeys } from './stream-keys.js';

/** How long a channel counts as known before it is made known again, should Redis have lost it. */
const knownForMs = 30_000;
const maxKnown = 10_000;

/** Which channels exist, and which patterns groups once asked for: what no single stream can tell. */
export class ChannelRegistry {
  readonly #connection: RedisConnection;
  readonly #keys: ReturnType<typeof registryKeys>;
  readonly #known: Map<string, number> = new Map();

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#keys = registryKeys(prefix);
  }

  /** Makes a channel known before its first event. Undefined when it is, so that nobody has to wait. */
  ensure(channel: string): Promise<void> | undefined {
    const now = performance.now();
    const until = this.#known.get(channel);
    if (until === undefined) return this.#add(channel, now);
    if (until < now) {
      this.#known.set(channel, now + knownForMs);
      void this.#add(channel, now).catch(() => undefined);
    }
    return undefined;
  }

  async channels(): Promise<readonly string[]> {
    return (await this.#connection.command('SMEMBERS', this.#keys.channels)) as string[];
  }

  /** Remembers that a group consumes a pattern. True when it did so before. */
  async rememberPattern(pattern: string, group: string): Promise<boolean> {
    return (await this.#connection.command('SADD', this.#keys.patterns, field(pattern, group))) === 0;
  }

  /** False when the group did not consume the pattern. */
  async forgetPattern(pattern: string, group: string): Promise<boolean> {
    return (await this.#connection.command('SREM', this.#keys.patterns, field(pattern, group))) === 1;
  }

  async #add(channel: string, now: number): Promise<void> {
    await this.#connection.command('SADD', this.#keys.channels, channel);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(channel, now + knownForMs);
  }
}

function field(pattern: string, group: string): string {
  return `${pattern}\n${group}`;
}
