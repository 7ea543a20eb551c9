import type { Document } from 'bson';

/** An error answer with a code of MongoDB. */
export class CommandFailure extends Error {
  readonly answer: Document;

  constructor(code: number, codeName: string, message: string, more: Document = {}) {
    super(message);
    this.answer = { ok: 0, errmsg: message, code, codeName, ...more };
  }
}

export function writeConflict(): CommandFailure {
  return new CommandFailure(112, 'WriteConflict', 'Write conflict during plan execution', {
    errorLabels: ['TransientTransactionError'],
  });
}

export function badValue(error: unknown): CommandFailure {
  return error instanceof CommandFailure ? error : new CommandFailure(2, 'BadValue', (error as Error).message);
}
