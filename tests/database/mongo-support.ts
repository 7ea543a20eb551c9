import { randomUUID } from 'node:crypto';
import { MongoDatabase, type MongoDatabaseOptions } from '@safla/sdk/database';
import { MongoEmulator, type MongoEmulatorOptions } from '../support/mongo-emulator/mongo-emulator.js';

/**
 * What the cases of MongoDB run on: the server that MONGODB_URL names, else the emulator of tests/support,
 * which is not MongoDB. `label` says which.
 */
export class MongoSubject implements AsyncDisposable {
  readonly label: 'MongoDB' | 'emulator';
  readonly #url: string | undefined;
  readonly #emulator: MongoEmulator | undefined;
  readonly #databases: MongoDatabase[] = [];

  private constructor(url: string | undefined, emulator: MongoEmulator | undefined) {
    this.#url = url;
    this.#emulator = emulator;
    this.label = url === undefined ? 'emulator' : 'MongoDB';
  }

  static async start(options: MongoEmulatorOptions = {}): Promise<MongoSubject> {
    const { MONGODB_URL } = process.env;
    return MONGODB_URL
      ? new MongoSubject(MONGODB_URL, undefined)
      : new MongoSubject(undefined, await MongoEmulator.start(options));
  }

  /** The URL of a database that nobody else has. */
  url(database: string = newDatabaseName()): string {
    if (this.#emulator) return this.#emulator.url(database);
    return (this.#url ?? '').replace(/^(mongodb(?:\+srv)?:\/\/[^/?]*)(?:\/[^?]*)?/, `$1/${database}`);
  }

  open(options: Partial<MongoDatabaseOptions> = {}): MongoDatabase {
    const db = new MongoDatabase({ url: this.url(), ...options } as MongoDatabaseOptions);
    this.#databases.push(db);
    return db;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const db of this.#databases) {
      if (!this.#emulator) await db.command({ dropDatabase: 1 }).catch(() => undefined);
      await db.close({ timeoutMs: 100 });
    }
    await this.#emulator?.[Symbol.asyncDispose]();
  }
}

export function newDatabaseName(): string {
  return `test_${randomUUID().replaceAll('-', '')}`;
}

/** Which server the cases that need no special one run on, for the titles of tests. */
export const mongoLabel: string = process.env.MONGODB_URL ? 'MongoDB' : 'the emulator';
