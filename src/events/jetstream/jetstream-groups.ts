import type { ConsumerConfig, ConsumerInfo } from '@nats-io/jetstream';
import { channelMatcher, isPattern } from '../channel-name.js';
import type { SubscriptionRequest } from '../event-transport.js';
import { groupInUse, noSuchGroup } from '../transport-errors.js';
import { type JetStreamLink, nanoseconds } from './jetstream-link.js';
import type { JetStreamLog } from './jetstream-log.js';
import { groupToken } from './jetstream-names.js';
import { natsFailure } from './nats-failure.js';

type JoinRequest = Pick<SubscriptionRequest, 'channel' | 'group' | 'from'>;

/** The consumer groups of a log: each is a durable consumer of the log, and one of dead letters given back. */
export class JetStreamGroups {
  readonly #link: JetStreamLink;
  readonly #log: JetStreamLog;
  readonly #ackWaitMs: number;

  constructor(link: JetStreamLink, log: JetStreamLog, ackWaitMs: number) {
    this.#link = link;
    this.#log = log;
    this.#ackWaitMs = ackWaitMs;
  }

  /** Makes the group unless it is there, and says when it was made. */
  async join(request: JoinRequest, doing: string): Promise<string> {
    const { names } = this.#link;
    const token = groupToken(request.channel, request.group);
    const known = await this.#link.find(doing, ({ manager }) => manager.consumers.info(names.log, token));
    const { created } = known ?? (await this.#make(request, token, doing));
    await this.#link.ask(doing, ({ manager }) =>
      manager.consumers.add(names.again, {
        ...this.#config(token),
        deliver_policy: 'all' as ConsumerConfig['deliver_policy'],
        filter_subject: names.againSubject(token),
      }),
    );
    return created;
  }

  /** @throws NotFoundError */
  async lag(channel: string, group: string, doing: string): Promise<number> {
    const { names } = this.#link;
    const token = groupToken(channel, group);
    const infos = await Promise.all(
      [names.log, names.again].map((stream) =>
        this.#link.find(doing, ({ manager }) => manager.consumers.info(stream, token)),
      ),
    );
    if (!infos[0]) throw noSuchGroup(channel, group);
    return infos.reduce((sum, info) => sum + (info ? info.num_pending + info.num_ack_pending : 0), 0);
  }

  /**
   * False when there is no such group.
   *
   * @param used the tokens of groups that somebody in this process consumes by
   * @throws ConfigurationError for one in use
   */
  async delete(channel: string, group: string, used: ReadonlySet<string>, doing: string): Promise<boolean> {
    const { names } = this.#link;
    const found = await this.#link.ask(doing, () => this.#on(channel, group));
    for (const [token, waiting] of found) if (waiting || used.has(token)) throw groupInUse(channel, group);
    for (const token of found.keys()) {
      await this.#link.find(doing, ({ manager }) =>
        manager.streams.purge(names.again, { filter: names.againSubject(token) }),
      );
      await this.#link.find(doing, ({ manager }) => manager.consumers.delete(names.again, token));
      await this.#link.find(doing, ({ manager }) => manager.consumers.delete(names.log, token));
    }
    return found.size > 0;
  }

  async #make({ channel, group, from }: JoinRequest, token: string, doing: string): Promise<ConsumerInfo> {
    const { names } = this.#link;
    const config = {
      ...this.#config(token),
      ...(await this.#log.start(channel, from)),
      description: JSON.stringify({ channel, group }),
      filter_subject: names.subject(channel),
    };
    const { manager } = await this.#link.open();
    try {
      return await manager.consumers.add(names.log, config);
    } catch (error) {
      // Another member may have made it in between, beginning elsewhere.
      const made = await this.#link.find(doing, () => manager.consumers.info(names.log, token));
      if (made) return made;
      throw natsFailure(error, doing, this.#link.target);
    }
  }

  #config(token: string): Partial<ConsumerConfig> {
    return {
      durable_name: token,
      ack_policy: 'explicit' as ConsumerConfig['ack_policy'],
      ack_wait: nanoseconds(this.#ackWaitMs),
      // How often it was tried is counted by the stream above, which knows when it is enough.
      max_deliver: -1,
      max_ack_pending: -1,
    };
  }

  /** The group's consumers on the channel, or on all channels of a pattern; true for those that somebody waits on. */
  async #on(channel: string, group: string): Promise<Map<string, boolean>> {
    const { manager } = await this.#link.open();
    const exact = groupToken(channel, group);
    const matches = channelMatcher(channel);
    const found = new Map<string, boolean>();
    for await (const { name, config, num_waiting } of manager.consumers.list(this.#link.names.log)) {
      const owner = describedGroup(config.description);
      const other = owner?.group === group && !isPattern(owner.channel) && matches(owner.channel);
      if (name === exact || other) found.set(name, num_waiting > 0);
    }
    return found;
  }
}

function describedGroup(
  description: string | undefined,
): { readonly channel: string; readonly group: string } | undefined {
  try {
    return JSON.parse(description ?? '') as { channel: string; group: string };
  } catch {
    return undefined;
  }
}
