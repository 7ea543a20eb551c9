import { UnsupportedError } from '../../core/index.js';
import type { StatementShape } from '../sql/statement.js';

const transactionControl = /^(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare transaction)\b/;
const sessionState = /^(?:set|reset|discard|deallocate|listen|unlisten|load)\b/;
const throughCopyProtocol = /\b(?:from\s+stdin|to\s+stdout)\b/i;

/**
 * Refuses what would change the connection and not only the data: the next statement runs on another
 * connection, and the next caller gets this one.
 *
 * @throws UnsupportedError which names what to use
 */
export function assertPooled(shape: StatementShape): void {
  if (transactionControl.test(shape.command)) {
    refuse(shape, 'Each statement may run on another connection. Use db.transaction(async (tx) => ...)');
  }
  if (sessionState.test(shape.command)) refuse(shape, sessionAdvice(shape));
  assertNoCopy(shape);
}

/**
 * Inside of a transaction the settings of the transaction may change, as long as they end with it.
 *
 * @throws UnsupportedError
 */
export function assertInTransaction(shape: StatementShape, readOnly: boolean): void {
  if (transactionControl.test(shape.command)) {
    refuse(shape, 'Return from the function to commit, throw to roll back, and use tx.savepoint for a part of it');
  }
  const local = /^set (?:local|constraints)$/.test(shape.command);
  // SET TRANSACTION READ WRITE would lift the one promise of a read-only transaction.
  if (sessionState.test(shape.command) && !(local && !(readOnly && /transaction/i.test(shape.text)))) {
    refuse(shape, sessionAdvice(shape));
  }
  assertNoCopy(shape);
}

/** What may be asked by somebody who may only read. Writes in it fail in the transaction, which is read-only. */
export function assertReading(shape: StatementShape): void {
  if (!/^(?:select|with|values|table|show|explain)\b/.test(shape.command)) {
    refuse(shape, 'Only select, with, values, table, show and explain can be read');
  }
}

function assertNoCopy(shape: StatementShape): void {
  if (shape.operation === 'copy' && throughCopyProtocol.test(shape.text)) {
    refuse(shape, 'Use db.bulkInsert to write and db.stream to read many rows');
  }
}

function sessionAdvice(shape: StatementShape): string {
  if (/listen$/.test(shape.operation)) return 'Use db.listen(channel, handler)';
  if (shape.operation === 'set') return 'Use SET LOCAL in a transaction, or options in the URL for every connection';
  return 'It would change a connection that others use';
}

function refuse(shape: StatementShape, advice: string): never {
  throw new UnsupportedError(`${shape.command.toUpperCase()} cannot be sent here. ${advice}`);
}
