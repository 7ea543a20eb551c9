import { importOptional, lazy } from '../../core/internal.js';
import type { JSONSchema } from '../schema/json-schema.js';

interface SchemaFault {
  readonly instancePath: string;
  readonly message?: string;
}

interface CheckValue {
  (value: unknown): boolean;
  readonly errors?: readonly SchemaFault[] | null;
}

interface Validator {
  compile(schema: JSONSchema): CheckValue;
}

const load = lazy(() =>
  importOptional('ajv', 'apiContract', async () => {
    try {
      const { Ajv2020 } = await import('ajv/dist/2020.js');
      // Formats are annotations unless a vocabulary says otherwise (JSON Schema 2020-12, section 7.2.1).
      return new Ajv2020({
        strict: false,
        allErrors: true,
        ownProperties: true,
        validateFormats: false,
        logger: false,
      }) as unknown as Validator;
    } catch (error) {
      return Promise.reject(error);
    }
  }),
);

/**
 * What is wrong with a value by a JSON Schema 2020-12, as `/items/0/price must be number`; empty when nothing is.
 * Values are not repeated.
 *
 * @throws MissingDependencyError without ajv
 */
export async function schemaFaults(schema: JSONSchema, value: unknown): Promise<readonly string[]> {
  const validator = await load();
  const check = validator.compile(schema);
  if (check(value)) return [];
  return (check.errors ?? []).slice(0, 20).map(({ instancePath, message }) => `${instancePath || '/'} ${message}`);
}
