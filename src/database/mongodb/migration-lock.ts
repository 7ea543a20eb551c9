import { randomUUID } from 'node:crypto';
import { ConfigurationError } from '../../core/index.js';
import type { MongoCall } from './mongo-connection.js';

const lockCollection = 'safla_migrations_lock';
const lockId = 'migrations';
/** A holder that died keeps others waiting for this long at the most. */
const leaseMs = 30_000;
const duplicateKey = 11_000;

/**
 * A document that one process at a time may hold, by the server's clock. The holder renews it while it works;
 * when it dies, the lease runs out and the next one takes over.
 */
export class MigrationLock implements AsyncDisposable {
  readonly #call: MongoCall;
  readonly #owner: string = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  #lost = false;

  private constructor(call: MongoCall) {
    this.#call = call;
  }

  /** Waits until it is ours, or the scope ends. */
  static async take(call: MongoCall): Promise<MigrationLock> {
    const lock = new MigrationLock(call);
    while (!(await lock.#insert()) && !(await lock.#takeOver())) await call.scope.sleep(50 + Math.random() * 100);
    lock.#renewLater();
    return lock;
  }

  /** @throws ConfigurationError when another process took it because this one could not renew it in time */
  assertHeld(): void {
    if (this.#lost)
      throw new ConfigurationError('The lock of migrations was lost: this process did not renew it in time');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    const options = { ...this.#call.common, maxTimeMS: 5_000 };
    await this.#locks()
      .deleteOne({ _id: lockId, owner: this.#owner }, options)
      .catch(() => undefined);
  }

  async #insert(): Promise<boolean> {
    try {
      // By an update, since the server's clock is to be had in one only.
      await this.#locks().updateOne({ _id: lockId, owner: this.#owner }, this.#lease(), {
        ...this.#call.common,
        upsert: true,
      });
      return true;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === duplicateKey) return false;
      throw error;
    }
  }

  async #takeOver(): Promise<boolean> {
    const expired = { _id: lockId, $expr: { $lt: ['$until', '$$NOW'] } };
    return Number((await this.#locks().updateOne(expired, this.#lease(), { ...this.#call.common })).matchedCount) === 1;
  }

  #lease(): object[] {
    return [{ $set: { owner: this.#owner, until: { $add: ['$$NOW', leaseMs] } } }];
  }

  #renewLater(): void {
    this.#timer = setTimeout(() => {
      this.#locks()
        .updateOne({ _id: lockId, owner: this.#owner }, this.#lease(), { ...this.#call.common, maxTimeMS: leaseMs / 3 })
        .then(({ matchedCount }) => {
          this.#lost ||= Number(matchedCount) === 0;
        })
        .catch(() => undefined)
        .finally(() => this.#renewLater());
    }, leaseMs / 3);
    this.#timer.unref();
  }

  #locks(): ReturnType<MongoCall['database']['collection']> {
    return this.#call.database.collection(lockCollection);
  }
}
