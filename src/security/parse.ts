import {
  ConfigurationError,
  type StandardSchemaV1,
  UnsupportedError,
  ValidationError,
  validate,
  validateSync,
} from '../core/index.js';
import { isSchema } from '../core/internal.js';

/**
 * The input as a Standard Schema gives it: checked, typed, with its defaults.
 *
 * @throws ValidationError with paths and messages, never values
 * @example const { email } = await parse(z.object({ email: z.email() }), request.body);
 */
export async function parse<S extends StandardSchemaV1>(
  schema: S,
  input: unknown,
): Promise<StandardSchemaV1.InferOutput<S>> {
  assertSchema(schema);
  return validate(schema, input, 'input');
}

/**
 * Whether the input fits the schema.
 *
 * @throws UnsupportedError for an asynchronous schema: use {@link parse}
 */
export function fits(schema: StandardSchemaV1, input: unknown): boolean {
  assertSchema(schema);
  try {
    validateSync(schema, input, 'input');
    return true;
  } catch (error) {
    if (error instanceof ValidationError) return false;
    if (error instanceof UnsupportedError)
      throw new UnsupportedError('validateInput: the schema is asynchronous; use `await parse(schema, input)`');
    throw error;
  }
}

function assertSchema(schema: unknown): asserts schema is StandardSchemaV1 {
  if (!isSchema(schema))
    throw new ConfigurationError('schema must be a Standard Schema (zod, valibot, ...)', { field: 'schema' });
}
