import { isSchemaObject, type JSONSchema, maxDepth, resolved, type SchemaPlace } from './json-schema.js';

/** An object that a schema refuses, and why. */
export interface Counterexample {
  /** As it reads in messages: `without 'data'`, `'limit' is a text`. */
  readonly what: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** One value of each JSON type, the first that a schema does not allow is used. Numbers come late: servers like to read texts as numbers. */
const values: readonly (readonly [type: string, value: unknown, words: string])[] = [
  ['object', { unexpected: {} }, 'an object'],
  ['string', 'not what was asked for', 'a text'],
  ['array', [{}], 'a list'],
  ['boolean', true, 'true'],
];

/**
 * Objects that differ from a valid one in one place each and that the schema refuses: a required property
 * is missing, a property has another type, another value than the listed ones, or one beyond its bounds.
 * Empty for a schema that refuses none of these.
 *
 * @param valid an object that the schema accepts
 */
export function schemaCounterexamples(
  schema: JSONSchema,
  valid: Readonly<Record<string, unknown>>,
): readonly Counterexample[] {
  const place = { root: schema, path: '', depth: 0 };
  const own = resolved(schema, place);
  if (!isSchemaObject(own)) return [];
  const required = Array.isArray(own.required) ? (own.required as string[]) : [];
  const missing = required.map((name) => {
    const { [name]: _, ...value } = valid;
    return { what: `without '${name}'`, value };
  });
  const properties = isSchemaObject(own.properties) ? own.properties : {};
  const wrong = Object.entries(properties).flatMap(([name, property]) =>
    wrongValues(property as JSONSchema, { ...place, path: `/${name}` }).map(([value, words]) => ({
      what: `'${name}' is ${words}`,
      value: { ...valid, [name]: value },
    })),
  );
  const extra =
    own.additionalProperties === false && own.patternProperties === undefined
      ? [{ what: 'with a property that is not listed', value: { ...valid, 'not listed': 1 } }]
      : [];
  return [...missing, ...wrong, ...extra];
}

function wrongValues(given: JSONSchema, place: SchemaPlace): (readonly [unknown, string])[] {
  const schema = resolved(given, place);
  if (!isSchemaObject(schema)) return [];
  const wrong: (readonly [unknown, string])[] = [];
  const types = allowedTypes(schema, place);
  const other = types && values.find(([type]) => !types.has(type));
  if (other) wrong.push([other[1], other[2]]);
  const { enum: listed, minimum, maximum, type, minLength } = schema;
  if (Array.isArray(listed) && listed.every((value) => typeof value === 'string'))
    wrong.push(['not one of the listed', 'none of the listed values']);
  const number = type === 'integer' || type === 'number';
  if (number && typeof minimum === 'number') wrong.push([minimum - 1, 'below its minimum']);
  if (number && typeof maximum === 'number') wrong.push([maximum + 1, 'above its maximum']);
  if (type === 'string' && Number(minLength) > 0) wrong.push(['', 'too short']);
  return wrong;
}

/** All types that a value may have; undefined where anything goes or nobody can tell. */
function allowedTypes(given: JSONSchema, place: SchemaPlace): Set<unknown> | undefined {
  const schema = resolved(given, place);
  if (!isSchemaObject(schema) || place.depth > maxDepth) return undefined;
  if (schema.type !== undefined) return new Set([schema.type].flat());
  const branches = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(branches)) return ofBranches(branches as JSONSchema[], place);
  if (Array.isArray(schema.enum)) return new Set(schema.enum.map(jsonType));
  return schema.const === undefined ? undefined : new Set([jsonType(schema.const)]);
}

function ofBranches(branches: readonly JSONSchema[], place: SchemaPlace): Set<unknown> | undefined {
  const all = branches.map((branch) => allowedTypes(branch, { ...place, depth: place.depth + 1 }));
  return all.includes(undefined) ? undefined : new Set(all.flatMap((types) => [...(types ?? [])]));
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
