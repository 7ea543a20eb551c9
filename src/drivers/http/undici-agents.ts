import type { Agent } from 'undici';
import type { WireLimits } from './exchange.js';
import type { AddressGuard } from './guard/index.js';
import { GuardedPools } from './guarded-pools.js';

type Undici = typeof import('undici');

/** undici's agents of one transport: one for what needs no guard, and one for each guard. */
export class UndiciAgents {
  readonly #undici: Undici;
  readonly #options: Agent.Options;
  readonly #guarded: GuardedPools<Agent> = new GuardedPools((agent) => {
    // It ends with its last request. Without a callback it would give a promise that may reject.
    agent.close(() => undefined);
  });
  #own: Agent | undefined;

  constructor(undici: Undici, { connectTimeoutMs, idleTimeoutMs }: WireLimits, maxConnections: number) {
    this.#undici = undici;
    this.#options = {
      connections: maxConnections === Number.POSITIVE_INFINITY ? null : maxConnections,
      connect: { timeout: finite(connectTimeoutMs) },
      headersTimeout: finite(idleTimeoutMs),
      bodyTimeout: finite(idleTimeoutMs),
    };
  }

  for(guard: AddressGuard | undefined): Agent {
    if (guard) return this.#guarded.for(guard, () => this.#open({ lookup: guard.lookup }));
    this.#own ??= this.#open({});
    return this.#own;
  }

  /** Not by `close`: that would still connect for requests whose callers have left the line. */
  async destroy(): Promise<void> {
    const opened = [...(this.#own ? [this.#own] : []), ...this.#guarded.values()];
    await Promise.all(opened.map((agent) => agent.destroy()));
  }

  #open(connect: object): Agent {
    const { Agent } = this.#undici;
    return new Agent({ ...this.#options, connect: { ...this.#options.connect, ...connect } });
  }
}

/** undici writes "no limit" as 0. */
function finite(ms: number): number {
  return ms === Number.POSITIVE_INFINITY ? 0 : ms;
}
