import { randomUUID } from 'node:crypto';
import { PostgresDatabase, type PostgresDatabaseOptions } from '@safla/sdk/database';
import { type ServiceSettings, TestContainer } from '@safla/sdk/testing';

/** A server of this file's own, and databases on it that are closed with it. */
export class TestServer implements AsyncDisposable {
  readonly services: TestContainer;
  readonly #opened: PostgresDatabase[] = [];

  private constructor(services: TestContainer) {
    this.services = services;
  }

  static async start(settings: ServiceSettings | true = true): Promise<TestServer> {
    return new TestServer(await TestContainer.start({ postgres: settings }));
  }

  get url(): string {
    return this.services.postgres.url;
  }

  /** A database with an application name of its own, so that its connections can be told from others. */
  open(options: Partial<PostgresDatabaseOptions> = {}): PostgresDatabase {
    const given = { applicationName: `test-${randomUUID()}`, ...options };
    const db = new PostgresDatabase((given.pool ? given : { url: this.url, ...given }) as PostgresDatabaseOptions);
    this.#opened.push(db);
    return db;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map(abandon));
    await this.services.stop();
  }
}

/** Closes without waiting for calls. Letting go of connections may take longer than it is given, where a machine is busy. */
export async function abandon(db: PostgresDatabase): Promise<void> {
  await db.close({ timeoutMs: 0 }).catch(() => undefined);
}

/** A name that no other test has. */
export function newName(prefix = 't'): string {
  return `${prefix}_${randomUUID().replaceAll('-', '')}`;
}

/** What a call rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not reject');
}

/** Waits until `check` is true; fails after `timeoutMs`. */
export async function eventually(check: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > until) throw new Error(`It did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
