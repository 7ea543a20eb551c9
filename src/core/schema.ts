import type { StandardSchemaV1 } from '@standard-schema/spec';
import { UnsupportedError } from './errors/unsupported-error.js';
import { ValidationError, type ValidationIssue } from './errors/validation-error.js';

export type { StandardSchemaV1 };

/**
 * Checks `value` by any Standard Schema (zod, valibot, arktype, ...) and gives the schema's output.
 *
 * @param subject What is checked, as it reads in the error: `answer of GET /orders`.
 * @throws ValidationError with paths and messages, never values
 */
export async function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  subject: string,
): Promise<StandardSchemaV1.InferOutput<S>> {
  return unwrap(await schema['~standard'].validate(value), subject);
}

/**
 * {@link validate} for places that cannot wait.
 *
 * @throws UnsupportedError when the schema is asynchronous
 */
export function validateSync<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  subject: string,
): StandardSchemaV1.InferOutput<S> {
  const result = schema['~standard'].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new UnsupportedError(
      `${subject}: the schema is asynchronous, which cannot be used here; use the asynchronous call`,
    );
  }
  return unwrap(result, subject);
}

/** True when `value` implements Standard Schema version 1. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as { '~standard'?: { validate?: unknown } })['~standard'];
  return typeof standard?.validate === 'function';
}

function unwrap<T>(result: StandardSchemaV1.Result<T>, subject: string): T {
  if (!result.issues) return result.value;
  throw new ValidationError(subject, result.issues.map(toIssue));
}

function toIssue(issue: StandardSchemaV1.Issue): ValidationIssue {
  const path = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return { path, message: issue.message };
}
