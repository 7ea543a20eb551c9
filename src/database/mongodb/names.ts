import { ValidationError } from '../../core/index.js';

const loneSurrogate = /\p{Surrogate}/u;

/** @throws ValidationError unless MongoDB can hold the text unchanged: UTF-8 has no lone surrogates */
export function checkText(text: string, subject: string, path: readonly PropertyKey[]): void {
  if (loneSurrogate.test(text)) refuse(subject, path, 'is not well-formed Unicode, so it could not be stored as it is');
}

/**
 * A collection's name, as it is (MongoDB Manual, "Naming Restrictions").
 *
 * @throws ValidationError
 */
export function checkCollectionName(name: unknown): asserts name is string {
  const subject = 'collection name';
  if (typeof name !== 'string' || name === '') refuse(subject, [], 'must be a text that is not empty');
  checkText(name, subject, []);
  if (/[$\0]/.test(name)) refuse(subject, [], 'must not have $ or NUL in it');
  if (/^\.|\.\.|\.$/.test(name)) refuse(subject, [], 'must not begin or end with a dot, nor have two together');
  if (name.startsWith('system.')) refuse(subject, [], "must not begin with system., which is the server's own");
  if (Buffer.byteLength(name) > 190) refuse(subject, [], 'is longer than 190 bytes');
}

/** A problem of a database's name (MongoDB Manual, "Naming Restrictions"), undefined when there is none. */
export function databaseNameProblem(name: string): string | undefined {
  if (name === '') return 'must not be empty';
  if (/[/\\. "$*<>:|?\0]/.test(name) || loneSurrogate.test(name)) return 'must not have any of /\\. "$*<>:|? in it';
  return Buffer.byteLength(name) > 63 ? 'is longer than 63 bytes' : undefined;
}

/** The name of one field in a document that is stored. @throws ValidationError */
export function checkFieldName(name: string, subject: string, path: readonly PropertyKey[]): void {
  if (name.startsWith('$')) refuse(subject, path, 'begins with $, so it would be an operator; operators are not data');
  if (name.includes('.')) refuse(subject, path, 'has a dot, which MongoDB reads as a path; nest a document instead');
  if (name.includes('\0')) refuse(subject, path, 'has a NUL in its name');
  if (name === '_bsontype') refuse(subject, path, 'is a name that the driver keeps for itself');
  checkText(name, subject, path);
}

/** A field, or a path with dots to one. @throws ValidationError */
export function checkFieldPath(name: unknown, subject: string): asserts name is string {
  if (typeof name !== 'string' || name === '') refuse(subject, [], 'must name a field');
  if (name.startsWith('$')) {
    refuse(subject, [name], 'begins with $: operators are made by where (where.ne(x), where.or(...)), not by objects');
  }
  if (name.includes('\0')) refuse(subject, [name], 'has a NUL in its name');
  checkText(name, subject, [name]);
}

/** @throws ValidationError */
export function refuse(subject: string, path: readonly PropertyKey[], message: string): never {
  throw new ValidationError(subject, [{ path, message }]);
}
