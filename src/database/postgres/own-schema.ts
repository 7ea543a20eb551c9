import { type CallScope, ConfigurationError, UnsupportedError } from '../../core/index.js';
import { compileText } from '../sql/compile.js';
import { quoteIdentifier } from '../sql/identifier.js';
import type { Session } from './session.js';

/** Written on a schema that was made here, so that nothing else is ever dropped. */
const mark = 'made by @safla/sdk';
/** Any number that others do not use, and that migrations do not hold. */
const lockKey = 7_366_133;

/** Plain lower-case names need no quoting anywhere. @throws ConfigurationError */
export function checkSchemaName(value: unknown, field: string): void {
  if (
    typeof value === 'string' &&
    /^[a-z_][a-z0-9_]{0,62}$/.test(value) &&
    !/^(?:public|information_schema|pg_)/.test(value)
  ) {
    return;
  }
  const message = `${field} must be a name of lower-case letters, digits and _, other than public and pg_...`;
  throw new ConfigurationError(message, { field });
}

/** Makes the schema unless it exists. */
export async function createSchema(session: Session, schema: string, scope: CallScope): Promise<void> {
  const name = quoteIdentifier(schema);
  const { rows } = await session.execute(compileText('select 1 from pg_namespace where nspname = $1', [schema]), scope);
  if (rows.length > 0) return;
  // IF NOT EXISTS alone fails where two create it at the same moment. The script is one transaction.
  const script = `select pg_advisory_xact_lock(${lockKey}, hashtext('${schema}'));
    create schema if not exists ${name}; comment on schema ${name} is '${mark}'`;
  await session.script(compileText(script, []), scope);
}

/**
 * Drops the schema with all it holds, if it was made here.
 *
 * @throws UnsupportedError when it was not
 */
export async function dropSchema(session: Session, schema: string, scope: CallScope): Promise<void> {
  const text = "select obj_description(oid, 'pg_namespace') as mark from pg_namespace where nspname = $1";
  const { rows } = await session.execute(compileText(text, [schema]), scope);
  if (!rows[0]) return;
  if (rows[0].mark !== mark) {
    throw new UnsupportedError(`The schema ${schema} was not made by migrate(), so cleanup() does not drop it`);
  }
  await session.execute(compileText(`drop schema ${quoteIdentifier(schema)} cascade`, []), scope);
}
