import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Awaitable, SaflaError } from '../../core/index.js';
import type { Migration, MongoMigration, RowId } from '../../database/index.js';
import type { Suite } from './suite-runner.js';

type Row = Record<string, unknown>;

/** What the database tests call. `DatabaseIntegration` has it, and a class of your own over one. */
export interface DatabaseSubject {
  migrate(): Promise<unknown>;
  /** Removes what `migrate` made. */
  cleanup(): Promise<void>;
  isConnected(): Promise<boolean>;
  create(table: string, row: Readonly<{ name: string }>): Promise<Row>;
  /** Null when there is none. */
  findById(table: string, id: RowId): Promise<Row | null>;
  /** Rejects with NotFoundError when there is none. */
  update(table: string, id: RowId, patch: Readonly<{ name: string }>): Promise<Row>;
  /** True when a row went. */
  delete(table: string, id: RowId): Promise<boolean>;
  close?(): Promise<void>;
}

/** A database for tests. */
export interface DatabaseTestConfig {
  /** Which service to start when there is no URL. @default the one that the URL names, else 'postgresql' */
  readonly type?: 'postgres' | 'postgresql' | 'mongodb';
  /** A database that runs already. @default one that the container starts */
  readonly url?: string | URL;
  /** The same as `url`. */
  readonly connectionString?: string;
  /** Run by `migrate()` before `test_table` is made, in a schema (in MongoDB: a database) of their own. @default none */
  readonly migrations?: readonly Migration[] | readonly MongoMigration[];
}

/** A database, and how it is tested. */
export interface DatabaseTestOptions extends DatabaseTestConfig {
  /** Makes the object that is tested: one of your own. @default a DatabaseIntegration */
  readonly create?: () => Awaitable<DatabaseSubject>;
}

const table = 'test_table';

/** How the tests get their database. */
export interface DatabaseUnderTest {
  /** Called once for the tests and once more for the one about `cleanup`. */
  readonly open: () => Promise<DatabaseSubject>;
  /** True where storing a row makes its table, so that only rows can be gone after `cleanup`. */
  readonly makesTables: boolean;
}

/** The tests of one database. */
export function databaseSuite(suite: Suite, name: string, { open, makesTables }: DatabaseUnderTest): void {
  suite.describe(`Database Integration: ${name}`, () => {
    let opened: DatabaseSubject | undefined;
    const db = (): DatabaseSubject => {
      assert.ok(opened, 'the database was not opened');
      return opened;
    };
    suite.beforeAll(async () => {
      opened = await open();
      await opened.migrate();
    });
    suite.afterAll(async () => {
      if (!opened) return;
      await opened.cleanup();
      await opened.close?.();
    });
    suite.it('should connect successfully', async () => {
      assert.equal(await db().isConnected(), true);
    });
    suite.it('should perform CRUD operations', () => performsCRUD(db()));
    suite.it('should tell what is not there', () => tellsAbsence(db()));
    suite.it('should migrate again without a change', async () => {
      const { id } = await create(db(), 'kept');
      await db().migrate();
      assert.equal((await db().findById(table, id))?.name, 'kept', 'a second migrate() must keep what is there');
    });
    suite.it('should remove only what it made', () => cleansUp(db(), { open, makesTables }));
  });
}

async function performsCRUD(db: DatabaseSubject): Promise<void> {
  // Names that nobody thought of, and a second row that must stay as it is.
  const [name, updatedName] = [`test '; -- ${randomUUID()}`, `updated ${randomUUID()}`];
  const other = await create(db, 'other');
  const created = await create(db, name);
  assert.equal(created.name, name, 'create must give the row as it was stored');
  assert.notEqual(created.id, other.id, 'each row must have an id of its own');
  assert.equal((await db.findById(table, created.id))?.name, name, 'findById must give what was stored');
  const updated = await db.update(table, created.id, { name: updatedName });
  assert.equal(updated.name, updatedName, 'update must give the changed row');
  assert.equal((await db.findById(table, created.id))?.name, updatedName, 'update must change the row');
  assert.equal((await db.findById(table, other.id))?.name, 'other', 'update must change no other row');
  assert.equal(await db.delete(table, created.id), true, 'delete must tell that a row went');
  assert.equal(await db.findById(table, created.id), null, 'delete must remove the row');
  assert.equal((await db.findById(table, other.id))?.name, 'other', 'delete must remove no other row');
}

async function tellsAbsence(db: DatabaseSubject): Promise<void> {
  const { id } = await create(db, 'gone');
  await db.delete(table, id);
  assert.equal(await db.findById(table, id), null, 'findById must give null for a row that is not there');
  assert.equal(await db.delete(table, id), false, 'delete must give false for a row that is not there');
  const error = await db.update(table, id, { name: 'x' }).then(
    () => assert.fail('update must reject for a row that is not there'),
    (reason: unknown) => reason,
  );
  assert.ok(
    SaflaError.is(error) && error.code === 'NOT_FOUND',
    `update must reject with NotFoundError, not with ${String(error)}`,
  );
}

async function cleansUp(db: DatabaseSubject, { open, makesTables }: DatabaseUnderTest): Promise<void> {
  const mine = await create(db, 'mine');
  const second = await open();
  try {
    await second.migrate();
    const theirs = await create(second, 'theirs');
    await second.cleanup();
    if (makesTables) assert.equal(await second.findById(table, theirs.id), null, 'cleanup must remove what was stored');
    else await assert.rejects(second.create(table, { name: 'late' }), `after cleanup there must be no ${table}`);
  } finally {
    await second.close?.();
  }
  assert.equal((await db.findById(table, mine.id))?.name, 'mine', 'cleanup must leave alone what others made');
}

async function create(db: DatabaseSubject, name: string): Promise<Row & { readonly id: RowId }> {
  const row = await db.create(table, { name });
  const { id } = row;
  assert.ok(typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint', 'create must give an id');
  return { ...row, id };
}
