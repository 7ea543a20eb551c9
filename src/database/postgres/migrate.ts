import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CallScope, ConfigurationError, SaflaError } from '../../core/index.js';
import { describeError, is } from '../../core/internal.js';
import { migrateFolder } from '../../drivers/postgres/index.js';
import { DatabaseError, MigrationError } from '../errors/index.js';
import { compileText } from '../sql/compile.js';
import { statementFailure } from './failure.js';
import type { Migration, MigrationResult, MigrationSource } from './migration.js';
import { inTransaction } from './run-transaction.js';
import type { Session } from './session.js';

const table = 'safla_migrations';
/** Any number that others do not use; the second key is the schema, so that schemas do not wait for each other. */
const lockKey = 7_366_132;
const lock = `(${lockKey}, hashtext(current_schema()))`;

/** @throws ConfigurationError */
export function checkMigrations(source: MigrationSource): void {
  const field = 'migrations';
  is.object(source, field);
  if ('dir' in source) {
    is.text(source.dir, `${field}.dir`);
    return;
  }
  is.list(source, field);
  const ids = new Set<string>();
  for (const [index, migration] of source.entries()) {
    const { id, up } = (migration ?? {}) as { readonly id?: unknown; readonly up?: unknown };
    const at = `${field}[${index}]`;
    is.text(id, `${at}.id`);
    if (typeof up !== 'function') is.text(up, `${at}.up`);
    if (ids.has(String(id))) throw new ConfigurationError(`${at}.id '${id}' is there twice`, { field: `${at}.id` });
    ids.add(String(id));
  }
}

/**
 * Runs what did not run yet. Several processes may do so at once: each step takes the lock, looks what is
 * next, and commits, so they take turns and every migration runs once.
 */
export async function migrate(session: Session, source: MigrationSource, scope: CallScope): Promise<MigrationResult> {
  if ('dir' in source) return await migrateFiles(session, source.dir, scope);
  const applied: string[] = [];
  for (;;) {
    const id = await step(session, source, scope);
    if (id === undefined) return { applied };
    applied.push(id);
  }
}

/** Runs the next migration of a list, if there is one, and gives its id. */
async function step(session: Session, list: readonly Migration[], scope: CallScope): Promise<string | undefined> {
  return await inTransaction(session, scope, {}, async (tx) => {
    const send = async (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
      (await session.execute(compileText(text, values), scope)).rows;
    await send("select set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)");
    await send(`select pg_advisory_xact_lock${lock}`);
    await send(createTable);
    const next = nextOf(list, await send(`select id, checksum from ${table} order by number`));
    if (!next) return undefined;
    await apply(session, scope, next, async (up) => up(tx));
    await send(`insert into ${table} (id, checksum) values ($1, $2)`, [next.id, checksumOf(next)]);
    return next.id;
  });
}

const createTable = `create table if not exists ${table} (
  number int8 generated always as identity primary key,
  id text not null unique,
  checksum text,
  applied_at timestamptz not null default now()
)`;

async function apply(
  session: Session,
  scope: CallScope,
  { id, up }: Migration,
  call: (up: Exclude<Migration['up'], string>) => Promise<unknown>,
): Promise<void> {
  try {
    if (typeof up !== 'string') await call(up);
    else if (/\bcopy\b[^;]*\bfrom\s+stdin\b/i.test(up)) throw new Error('COPY FROM STDIN has no rows here');
    else await session.script(compileText(up, []), scope);
  } catch (error) {
    if (scope.cancelled) throw scope.reason;
    const reason = error instanceof Error ? error.message : String(error);
    throw new MigrationError(id, `failed and was undone: ${reason}`, { cause: error });
  }
  if (session.status !== 'T') {
    throw new MigrationError(id, 'ended its transaction itself; leave BEGIN and COMMIT out of migrations');
  }
}

/** The first migration that did not run, after a look at those that did. */
function nextOf(list: readonly Migration[], ran: readonly Record<string, unknown>[]): Migration | undefined {
  const checksums = new Map(ran.map(({ id, checksum }) => [String(id), checksum]));
  let next: Migration | undefined;
  for (const migration of list) {
    const { id } = migration;
    if (!checksums.has(id)) {
      next ??= migration;
      continue;
    }
    if (next) throw new MigrationError(next.id, `stands before '${id}', which ran already; put new migrations last`);
    if (checksums.get(id) !== checksumOf(migration)) {
      throw new MigrationError(id, 'was changed after it ran; put it back and write a new migration for the change');
    }
  }
  return next;
}

/** Of the text, whatever its line ends. Null for a function, whose text depends on how it was built. */
function checksumOf({ up }: Migration): string | null {
  return typeof up === 'string' ? digest(up) : null;
}

function digest(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}

/** The folder's own runner commits by itself, so the lock is the session's and the checksums are ours. */
async function migrateFiles(session: Session, dir: string, scope: CallScope): Promise<MigrationResult> {
  const send = async (text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await session.execute(compileText(text, values), scope)).rows;
  const files = await readFiles(dir);
  // Until it is at rest again, the connection must not go to anybody else.
  session.markOpen(true);
  await send("select set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)");
  await send(`select pg_advisory_lock${lock}`);
  try {
    await send(createTable);
    const ran = await send(`select id, checksum from ${table}`);
    const checksums = new Map(ran.map(({ id, checksum }) => [String(id), checksum]));
    for (const [name, checksum] of files) {
      const known = checksums.get(`file:${name}`);
      if (known !== undefined && known !== checksum) {
        throw new MigrationError(
          name,
          'was changed after it ran; put it back and write a new migration for the change',
        );
      }
    }
    const [schema] = await send('select current_schema() as name');
    const applied = await session.supervise(scope, () => runFolder(session, dir, String(schema?.name)));
    for (const [name, checksum] of files) {
      const id = `file:${name}`;
      if (!checksums.has(id)) await send(`insert into ${table} (id, checksum) values ($1, $2)`, [id, checksum]);
    }
    return { applied };
  } finally {
    await restore(session);
  }
}

async function runFolder(session: Session, dir: string, schema: string): Promise<readonly string[]> {
  try {
    return await migrateFolder(session.client, dir, schema);
  } catch (error) {
    if (SaflaError.is(error)) throw error;
    const failure = statementFailure(error, undefined);
    const reason = failure instanceof DatabaseError ? failure.message : describeError(error);
    throw new MigrationError(dir, `failed; what ran before it in the folder stays: ${reason}`, { cause: failure });
  }
}

/** Gives the lock free and the limits their old values; when that fails, the connection is ended. */
async function restore(session: Session): Promise<void> {
  if (session.broken) return;
  using own = new CallScope('end of migrate', { timeoutMs: restoreMs });
  try {
    for (const text of [`select pg_advisory_unlock${lock}`, 'reset statement_timeout', 'reset lock_timeout']) {
      await session.execute(compileText(text, []), own);
    }
    session.markOpen(false);
  } catch {
    // It stays marked as open, so it is ended.
  }
}

const restoreMs = 5_000;

/** The names and checksums of a folder's files, by the names that its runner gives them. */
async function readFiles(dir: string): Promise<Map<string, string>> {
  let names: string[];
  try {
    names = (await readdir(dir)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    throw new ConfigurationError(`migrations.dir cannot be read: ${dir}`, { field: 'migrations.dir', cause: error });
  }
  const files = await Promise.all(
    names.map(async (name) => [name, digest(await readFile(join(dir, name), 'utf8'))] as const),
  );
  return new Map(files.map(([name, checksum]) => [name.replace(/\.[^.]+$/, ''), checksum]));
}
