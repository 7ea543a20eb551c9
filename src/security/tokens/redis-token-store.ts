import {
  type CallOptions,
  CallScope,
  type Closeable,
  type CloseOptions,
  ConfigurationError,
  type Health,
  type HealthCheck,
  Lifecycle,
} from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import {
  type RedisArgument,
  type RedisClient,
  RedisConnection,
  type RedisScript,
  redisClientCheck,
  redisFailure,
  redisScript,
} from '../../drivers/redis/index.js';
import { redisHealth } from '../redis-health.js';
import type { FamilyMember, Rotation, TokenStore } from './token-store.js';

/** Where a {@link RedisTokenStore} keeps its keys. Give `client` or `url`. */
export interface RedisTokenStoreOptions {
  /** A ready ioredis client, Redis or Cluster. The caller owns it. */
  readonly client?: RedisClient;
  /** `redis:` or `rediss:`. The connection is ours, opened on first use. */
  readonly url?: string;
  /** Begins every key. @default 'safla:token' */
  readonly prefix?: string;
  /** How long Redis may take to answer, in milliseconds. @default 2000 */
  readonly commandTimeoutMs?: number;
}

const optionChecks: OptionChecks<RedisTokenStoreOptions> = {
  client: redisClientCheck,
  url: is.url('redis:', 'rediss:'),
  prefix: is.text,
  commandTimeoutMs: is.milliseconds,
};

/** KEYS: one id. ARGV: when it is over, in milliseconds. The longer of two revocations counts. */
const revokeScript = redisScript(`
if redis.call('GET', KEYS[1]) == 'revoked' and redis.call('PEXPIRETIME', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
return redis.call('SET', KEYS[1], 'revoked', 'PXAT', ARGV[1])
`);

/** KEYS: one id. */
const isRevokedScript = redisScript(`return redis.call('GET', KEYS[1]) == 'revoked' and 1 or 0`);

/** KEYS: the family. ARGV: the first token's id, when the family is over. */
const beginScript = redisScript(`return redis.call('SET', KEYS[1], 'latest:' .. ARGV[1], 'PXAT', ARGV[2])`);

/** KEYS: the family. ARGV: the presented id, the next one, when the family is over then. */
const rotateScript = redisScript(`
local state = redis.call('GET', KEYS[1])
if not state or state == 'revoked' then return 'ended' end
if state == 'latest:' .. ARGV[1] then
  redis.call('SET', KEYS[1], 'latest:' .. ARGV[2], 'PXAT', ARGV[3])
  return 'rotated'
end
redis.call('SET', KEYS[1], 'revoked', 'KEEPTTL')
return 'reused'
`);

/**
 * For all processes on one Redis (7.0 or later, or Valkey). Each step is one script on one key, so it is atomic
 * and works on a cluster. While Redis cannot be asked, every call rejects: a token whose revocation cannot be
 * looked up is not accepted.
 */
export class RedisTokenStore implements TokenStore, Closeable, HealthCheck {
  readonly name: string = 'RedisTokenStore';
  readonly #connection: RedisConnection;
  readonly #lifecycle: Lifecycle = new Lifecycle('RedisTokenStore');
  readonly #prefix: string;
  readonly #timeoutMs: number;

  constructor(options: RedisTokenStoreOptions) {
    checkOptions('RedisTokenStore', options, optionChecks);
    if ((options.client === undefined) === (options.url === undefined))
      throw new ConfigurationError('RedisTokenStore.client or RedisTokenStore.url must be given, and not both', {
        field: 'RedisTokenStore.client',
      });
    this.#timeoutMs = options.commandTimeoutMs ?? 2_000;
    this.#connection = new RedisConnection({ client: options.client, url: options.url }, this.#timeoutMs);
    this.#prefix = options.prefix ?? 'safla:token';
  }

  /** @throws ConnectionError TimeoutError ClosedError */
  async revoke(id: string, expiresAtMs: number, options?: CallOptions): Promise<void> {
    await this.#run('revoke a token', revokeScript, id, [Math.ceil(expiresAtMs)], options);
  }

  /** @throws ConnectionError TimeoutError ClosedError */
  async isRevoked(ids: readonly string[], options?: CallOptions): Promise<boolean> {
    const asked = ids.map((id) => this.#run('look up a revocation', isRevokedScript, id, [], options));
    return (await Promise.all(asked)).includes(1);
  }

  /** @throws ConnectionError TimeoutError ClosedError */
  async begin({ family, id, expiresAtMs }: FamilyMember, options?: CallOptions): Promise<void> {
    await this.#run('begin a token family', beginScript, family, [id, Math.ceil(expiresAtMs)], options);
  }

  /** @throws ConnectionError TimeoutError ClosedError */
  async rotate({ family, id, expiresAtMs }: FamilyMember, nextId: string, options?: CallOptions): Promise<Rotation> {
    const args = [id, nextId, Math.ceil(expiresAtMs)];
    return (await this.#run('rotate a refresh token', rotateScript, family, args, options)) as Rotation;
  }

  /** Asks Redis now: `fail` means that tokens cannot be verified where revocation is checked. */
  health(options: CallOptions = {}): Promise<Health> {
    return redisHealth(this.#connection, this.#lifecycle, this.#timeoutMs, options);
  }

  /** Lets running calls finish until the deadline, then closes the connection if it is ours. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#lifecycle.close(options, () => this.#connection.disconnect());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(
    subject: string,
    script: RedisScript,
    id: string,
    args: readonly RedisArgument[],
    options: CallOptions = {},
  ): Promise<unknown> {
    return this.#lifecycle.call(subject, options, async (scope) => {
      using limited = new CallScope(subject, { timeoutMs: this.#timeoutMs, parents: [scope] });
      const asking = this.#connection.run(script, [`${this.#prefix}:${id}`], args);
      return await limited.run(() =>
        asking.catch((failure: unknown) => {
          throw redisFailure(subject, failure);
        }),
      );
    });
  }
}
