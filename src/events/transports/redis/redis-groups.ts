import type { RedisConnection } from '../../../drivers/redis/index.js';
import type { SubscriptionRequest } from '../../event-transport.js';
import { groupInUse, groupOrderDiffers, noSuchGroup } from '../../transport-errors.js';
import { countScript, deleteGroupScript, joinScript, lagScript } from './log-scripts.js';
import type { StreamKeys } from './stream-keys.js';

/** The consumer groups of channels, which every partition of a channel has for itself. */
export class RedisGroups {
  readonly #connection: RedisConnection;
  readonly #deadAfterMs: number;

  constructor(connection: RedisConnection, deadAfterMs: number) {
    this.#connection = connection;
    this.#deadAfterMs = deadAfterMs;
  }

  /**
   * Makes the group on one partition, to begin after the entry `start`, unless it is there. Gives the entry
   * after which it began.
   *
   * @throws ConfigurationError when it exists with the other order
   */
  async join(keys: StreamKeys, { group, ordered }: SubscriptionRequest, start: string): Promise<string> {
    const args = [group, ordered ? 1 : 0, start, 0];
    const [state, fact] = (await this.#connection.run(joinScript, [keys.log, keys.groups], args)) as [string, string];
    if (state === 'ordered') throw groupOrderDiffers(group, fact === '1');
    return fact;
  }

  /** @throws NotFoundError */
  async lag(channel: string, partitions: readonly StreamKeys[], group: string): Promise<number> {
    const lags = await Promise.all(partitions.map((keys) => this.#lagOn(keys, group)));
    const known = lags.filter((lag) => lag !== undefined);
    if (known.length === 0) throw noSuchGroup(channel, group);
    return known.reduce((sum, lag) => sum + lag, 0);
  }

  /** False when it is on none of the partitions. @throws ConfigurationError for one in use */
  async delete(channel: string, partitions: readonly StreamKeys[], group: string): Promise<boolean> {
    let found = false;
    for (const keys of partitions) {
      const { again, behind, locks } = keys.of(group);
      const used = [keys.log, keys.groups, again, behind, locks];
      const answer = await this.#connection.run(deleteGroupScript, used, [group, this.#deadAfterMs]);
      if (answer === -1) throw groupInUse(channel, group);
      found ||= answer === 1;
    }
    return found;
  }

  async #lagOn(keys: StreamKeys, group: string): Promise<number | undefined> {
    const answer = (await this.#connection.run(lagScript, [keys.log], [group])) as [number, number, string] | null;
    if (!answer) return undefined;
    const [pending, known, delivered] = answer;
    if (known >= 0) return pending + known;
    let waiting = 0;
    let last = delivered;
    for (;;) {
      const [count, end] = (await this.#connection.run(countScript, [keys.log], [last])) as [number, string];
      waiting += count;
      last = end;
      if (count < 1_000) return pending + waiting;
    }
  }
}
