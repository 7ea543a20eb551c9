import { randomUUID } from 'node:crypto';
import { MongoDatabase, type MongoDatabaseOptions } from '@safla/sdk/database';
import { ServiceUnavailableError, TestContainer } from '@safla/sdk/testing';
import { MongoEmulator } from '../support/mongo-emulator/mongo-emulator.js';

/** A real server, by MONGODB_URL or from the `mongod` on PATH. One that is named and does not work is a failure. */
const real: TestContainer | undefined = await TestContainer.start({
  mongodb: { kinds: ['environment', 'system'] },
}).catch((error: unknown) => {
  const absent = error instanceof ServiceUnavailableError && error.attempts.every(({ broken }) => !broken);
  if (!absent) throw error;
  return undefined;
});

/** What the cases run on, for their titles. The emulator is not MongoDB. */
export const mongoLabel: string = real ? 'MongoDB' : 'the emulator';

/** A real server where there is one, else the emulator of tests/support; and databases on it. */
export class MongoSubject implements AsyncDisposable {
  readonly #base: string;
  readonly #emulator: MongoEmulator | undefined;
  readonly #databases: MongoDatabase[] = [];

  private constructor(base: string, emulator: MongoEmulator | undefined) {
    this.#base = base;
    this.#emulator = emulator;
  }

  static async start(): Promise<MongoSubject> {
    if (real) return new MongoSubject(real.mongodb.url, undefined);
    const emulator = await MongoEmulator.start();
    return new MongoSubject(emulator.url('any'), emulator);
  }

  /** The URL of a database that nobody else has. */
  url(database: string = newDatabaseName()): string {
    const url = new URL(this.#base);
    url.pathname = `/${database}`;
    return url.href;
  }

  open(options: Partial<MongoDatabaseOptions> = {}): MongoDatabase {
    const db = new MongoDatabase({ url: this.url(), ...options } as MongoDatabaseOptions);
    this.#databases.push(db);
    return db;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const db of this.#databases) {
      await db.command({ dropDatabase: 1 }).catch(() => undefined);
      await db.close({ timeoutMs: 100 });
    }
    await this.#emulator?.[Symbol.asyncDispose]();
    await real?.stop();
  }
}

export function newDatabaseName(): string {
  return `test_${randomUUID().replaceAll('-', '')}`;
}
