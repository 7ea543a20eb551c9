import { createHash } from 'node:crypto';
import { describeError } from '../../core/internal.js';
import { MigrationError } from '../errors/index.js';
import type { MigrationResult } from '../postgres/migration.js';
import { MigrationLock } from './migration-lock.js';
import type { MongoCall } from './mongo-connection.js';
import type { MongoMigration, MongoMigrationTools } from './mongo-migration.js';
import { trustedDocument } from './trusted-document.js';

const table = 'safla_migrations';

/**
 * Runs what did not run yet, under a lock document, so that several processes may do so at once: each
 * migration runs once, in order, and is noted when it is done.
 */
export async function migrateMongo(
  call: MongoCall,
  list: readonly MongoMigration[],
  tools: MongoMigrationTools,
): Promise<MigrationResult> {
  await using lock = await MigrationLock.take(call);
  const notes = call.database.collection(table);
  const ran = await notes.find({ _id: { $type: 'string' } }, { ...call.common }).toArray();
  const pending = pendingOf(list, new Map(ran.map(({ _id, checksum }) => [String(_id), checksum])));
  const applied: string[] = [];
  for (const { id, up } of pending) {
    lock.assertHeld();
    call.scope.throwIfCancelled();
    await apply(call, id, up, tools);
    lock.assertHeld();
    const note = { _id: id, checksum: checksumOf(up), number: ran.length + applied.length + 1, appliedAt: new Date() };
    await notes.insertOne(note, { ...call.common });
    applied.push(id);
  }
  return { applied };
}

/** Notes that `migrate` found the database empty, which lets `cleanup` drop it. */
export async function claimDatabase(call: MongoCall): Promise<void> {
  const { cursor } = (await call.database.command({ listCollections: 1, nameOnly: true }, { ...call.common })) as {
    readonly cursor: { readonly firstBatch: readonly { readonly name: string }[] };
  };
  if (cursor.firstBatch.length > 0) return;
  await call.database
    .collection(table)
    .updateOne({ _id: ownerNote }, { $set: { madeBy: 'migrate' } }, { ...call.common, upsert: true });
}

/** Drops the database if `migrate` made it. */
export async function dropClaimed(call: MongoCall): Promise<void> {
  const claim = await call.database.collection(table).findOne({ _id: ownerNote }, { ...call.common });
  if (claim) await call.database.dropDatabase({ ...call.common });
}

/** No text, so that it cannot be a migration's id. */
const ownerNote = 0;

async function apply(call: MongoCall, id: string, up: MongoMigration['up'], tools: MongoMigrationTools): Promise<void> {
  try {
    if (typeof up === 'function') await up(tools);
    else for (const command of up) await tools.command(command);
  } catch (error) {
    if (call.scope.cancelled) throw call.scope.reason;
    throw new MigrationError(
      id,
      `failed; what it did before stays, and it runs again from its beginning: ${describeError(error)}`,
      {
        cause: error,
      },
    );
  }
}

function pendingOf(list: readonly MongoMigration[], ran: ReadonlyMap<string, unknown>): MongoMigration[] {
  const pending: MongoMigration[] = [];
  for (const migration of list) {
    const { id } = migration;
    if (!ran.has(id)) {
      pending.push(migration);
      continue;
    }
    const [next] = pending;
    if (next) throw new MigrationError(next.id, `stands before '${id}', which ran already; put new migrations last`);
    if (ran.get(id) !== checksumOf(migration.up)) {
      throw new MigrationError(id, 'was changed after it ran; put it back and write a new migration for the change');
    }
  }
  return pending;
}

/** Of the commands as they are written. Null for a function, whose text depends on how it was built. */
function checksumOf(up: MongoMigration['up']): string | null {
  if (typeof up === 'function') return null;
  const commands = up.map((command) => trustedDocument(command, 'migration'));
  const text = JSON.stringify(commands, (_, value: unknown) =>
    typeof value === 'bigint' || value instanceof RegExp ? String(value) : value,
  );
  return createHash('sha256').update(text).digest('hex');
}
