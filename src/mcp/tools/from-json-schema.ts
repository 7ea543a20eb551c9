import type { ValidationIssue } from '../../core/index.js';
import { lazy } from '../../core/internal.js';
import { loadServerSDK } from '../sdk/server-sdk.js';
import type { ToolSchema } from './tool.js';

/**
 * Makes a tool's schema out of JSON Schema (2020-12 unless `$schema` says otherwise), for schemas
 * that come as data. The type of the arguments is what the caller says it is. The validator is
 * loaded on first use, so checking is asynchronous.
 *
 * @throws MissingDependencyError when first used without `@modelcontextprotocol/server`
 * @example input: fromJSONSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'] })
 */
export function fromJSONSchema<T = Record<string, unknown>>(schema: Readonly<Record<string, unknown>>): ToolSchema<T> {
  const json = structuredClone(schema) as Record<string, unknown>;
  const validator = lazy(async () => (await loadServerSDK()).fromJsonSchema(json));
  return {
    '~standard': {
      version: 1,
      vendor: 'safla',
      jsonSchema: { input: () => json, output: () => json },
      validate: async (value) => {
        const result = (await validator())['~standard'].validate(value);
        return result.issues
          ? { issues: result.issues.flatMap(({ message }) => toIssues(message)) }
          : { value: value as T };
      },
    },
  };
}

/** The validator gives one text for all problems: `data/a must be string, data must have …`. */
function toIssues(text: string): ValidationIssue[] {
  return text.split(/, (?=data[/ ])/).map((part) => {
    const [, pointer = '', message = part] = /^data((?:\/[^ ]*)?) (.*)$/s.exec(part) ?? [];
    const path = pointer.split('/').slice(1);
    return { path: path.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~')), message };
  });
}
