import { UnsupportedError } from '../../core/index.js';
import {
  isSchemaObject,
  type JSONSchema,
  maxDepth,
  resolved,
  type SchemaObject,
  type SchemaPlace,
} from './json-schema.js';
import { patternExample } from './pattern-example.js';

/** How much of a schema an example shows. */
export interface ExampleOptions {
  /** Also the properties that may be left out. @default false */
  readonly optional?: boolean;
}

/** One text of each format of JSON Schema 2020-12 that tools use. */
const formats: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  duration: 'PT1H',
  email: 'someone@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  'json-pointer': '/a',
  regex: 'a',
  time: '12:00:00Z',
  uri: 'https://example.com/',
  'uri-reference': '/a',
  url: 'https://example.com/',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
};

/**
 * A value that a JSON Schema (2020-12, and the common part of older drafts) accepts: `examples`, `default`,
 * `const` and `enum` first, else the smallest value of the type. A text without a format or pattern is `1`,
 * which is also a number and an identifier. The same schema gives the same value.
 *
 * @throws UnsupportedError for a schema that nothing fits, and for one that it finds no value for
 * @example schemaExample({ type: 'object', properties: { n: { type: 'integer', minimum: 3 } }, required: ['n'] }) // { n: 3 }
 */
export function schemaExample(schema: JSONSchema, options: ExampleOptions = {}): unknown {
  return exampleAt(schema, { root: schema, path: '', depth: 0 }, options);
}

function exampleAt(given: JSONSchema, place: SchemaPlace, options: ExampleOptions): unknown {
  if (place.depth > maxDepth) throw new UnsupportedError(`The schema at ${place.path} needs itself without an end`);
  const schema = resolved(given, place);
  if (schema === false) throw new UnsupportedError(`Nothing fits the schema at ${place.path || '/'}: it is false`);
  if (schema === true) return '1';
  const ready = readyValue(schema);
  if (ready) return ready.value;
  const branches = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(branches)) return ofBranches(schema, branches as JSONSchema[], place, options);
  return ofType(typeOf(schema), schema, place, options);
}

/** What the schema itself says would do. */
function readyValue(schema: SchemaObject): { readonly value: unknown } | undefined {
  const { const: constant, enum: values, examples, example, default: usual } = schema;
  if (constant !== undefined) return { value: constant };
  if (Array.isArray(examples) && examples.length > 0) return { value: examples[0] };
  if (example !== undefined) return { value: example };
  if (Array.isArray(values) && values.length > 0) return { value: values.includes(usual) ? usual : values[0] };
  return usual === undefined || usual === null ? undefined : { value: usual };
}

/** The first branch that a value is found for, joined with what stands beside the branches. */
function ofBranches(
  schema: SchemaObject,
  branches: JSONSchema[],
  place: SchemaPlace,
  options: ExampleOptions,
): unknown {
  const { oneOf, anyOf, ...beside } = schema;
  let failure: unknown = new UnsupportedError(`The schema at ${place.path || '/'} has no branches`);
  for (const branch of branches) {
    try {
      return exampleAt(
        Object.keys(beside).length > 0 ? { allOf: [beside, branch] } : branch,
        deeper(place, ''),
        options,
      );
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The declared type, else the one that the keywords are about. */
function typeOf(schema: SchemaObject): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type.find((one) => one !== 'null') ?? 'null';
  if (type !== undefined) return type;
  if (schema.properties !== undefined || schema.required !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  if (schema.minimum !== undefined || schema.maximum !== undefined) return 'number';
  return 'string';
}

function ofType(type: unknown, schema: SchemaObject, place: SchemaPlace, options: ExampleOptions): unknown {
  switch (type) {
    case 'object':
      return objectOf(schema, place, options);
    case 'array':
      return arrayOf(schema, place, options);
    case 'string':
      return textOf(schema, place);
    case 'integer':
      return numberOf(schema, place, 1);
    case 'number':
      return numberOf(schema, place, undefined);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      throw new UnsupportedError(`The schema at ${place.path || '/'} has the unknown type ${JSON.stringify(type)}`);
  }
}

function objectOf(schema: SchemaObject, place: SchemaPlace, options: ExampleOptions): Record<string, unknown> {
  const properties = isSchemaObject(schema.properties) ? schema.properties : {};
  const required = new Set(Array.isArray(schema.required) ? (schema.required as string[]) : []);
  // A map, because a property may be called __proto__.
  const example = new Map<string, unknown>();
  for (const [name, property] of Object.entries(properties)) {
    if (!required.has(name) && !options.optional) continue;
    try {
      example.set(name, exampleAt(property as JSONSchema, deeper(place, name), options));
    } catch (error) {
      // What may be left out is left out: a tree may end where it would contain itself.
      if (required.has(name)) throw error;
    }
  }
  const others = schema.additionalProperties as JSONSchema | undefined;
  const free = (): unknown => exampleAt(others ?? true, deeper(place, '*'), options);
  for (const name of required) if (!example.has(name)) example.set(name, free());
  const least = Number(schema.minProperties ?? 0);
  for (let n = 1; example.size < least; n++) example.set(`property${n}`, free());
  return Object.fromEntries(example);
}

function arrayOf(schema: SchemaObject, place: SchemaPlace, options: ExampleOptions): unknown[] {
  const { prefixItems, items, contains, uniqueItems } = schema;
  const first = Array.isArray(prefixItems) ? (prefixItems as JSONSchema[]) : [];
  const least = Math.max(Number(schema.minItems ?? 0), contains === undefined ? 0 : 1);
  // Lists that may be empty show one item: an empty one tests little.
  const size = Math.min(Math.max(least, first.length, 1), Number(schema.maxItems ?? Number.POSITIVE_INFINITY));
  const rest = (items ?? contains ?? true) as JSONSchema;
  try {
    const values = Array.from({ length: size }, (_, index) =>
      exampleAt(first[index] ?? rest, deeper(place, String(index)), options),
    );
    return uniqueItems === true ? values.map((value, index) => distinct(value, index, rest, place)) : values;
  } catch (error) {
    if (least > 0) throw error;
    return [];
  }
}

/** Another value for each place of a list whose items differ. */
function distinct(value: unknown, index: number, schema: JSONSchema, place: SchemaPlace): unknown {
  if (index === 0) return value;
  const item = resolved(schema, place);
  const values = isSchemaObject(item) && Array.isArray(item.enum) ? item.enum : [];
  if (values.length > index) return values[index];
  if (typeof value === 'number') return value + index;
  if (typeof value === 'string' && values.length === 0) return `${value}${index}`;
  throw new UnsupportedError(`No ${index + 1} different items were found for the list at ${place.path || '/'}`);
}

function textOf({ format, pattern, minLength, maxLength }: SchemaObject, place: SchemaPlace): string {
  const least = Number(minLength ?? 0);
  const known = typeof format === 'string' ? formats[format] : undefined;
  const text =
    typeof pattern === 'string' ? (patternMatch(known, pattern) ?? patternExample(pattern, least)) : (known ?? '1');
  const long = typeof pattern === 'string' || known !== undefined ? text : text.padEnd(least, '1');
  const most = Number(maxLength ?? Number.POSITIVE_INFINITY);
  if (known === undefined && typeof pattern !== 'string') return long.slice(0, most);
  if (long.length < least || long.length > most)
    throw new UnsupportedError(`No text of the length asked for was found for ${place.path || '/'}`);
  return long;
}

function patternMatch(text: string | undefined, pattern: string): string | undefined {
  return text !== undefined && new RegExp(pattern).test(text) ? text : undefined;
}

function numberOf(schema: SchemaObject, place: SchemaPlace, whole: 1 | undefined): number {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const bound = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  // Draft 4 has true beside minimum, where later drafts have the number itself.
  const low = Math.max(bound(minimum) ?? Number.NEGATIVE_INFINITY, bound(exclusiveMinimum) ?? Number.NEGATIVE_INFINITY);
  const high = Math.min(
    bound(maximum) ?? Number.POSITIVE_INFINITY,
    bound(exclusiveMaximum) ?? Number.POSITIVE_INFINITY,
  );
  const fits = (value: number): boolean =>
    value >= low &&
    value <= high &&
    (value !== low || !(exclusiveMinimum === true || exclusiveMinimum === low)) &&
    (value !== high || !(exclusiveMaximum === true || exclusiveMaximum === high));
  const step = bound(multipleOf) ?? whole;
  const from = Number.isFinite(low) ? low : Number.isFinite(high) ? high : 1;
  const around = step === undefined ? [from, (low + high) / 2, from + 1, from - 1] : multiples(from, step, whole);
  const found = [1, ...around].find((value) => fits(value) && isMultiple(value, step) && isMultiple(value, whole));
  if (found === undefined) throw new UnsupportedError(`No number was found for the bounds at ${place.path || '/'}`);
  return found;
}

function multiples(near: number, step: number, whole: 1 | undefined): number[] {
  const base = Math.ceil(near / step) * step;
  // A step of 2.5 reaches a whole number within the first few.
  const offsets = whole === undefined || Number.isInteger(step) ? [0, 1, -1] : [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5];
  return offsets.map((offset) => base + offset * step);
}

function isMultiple(value: number, step: number | undefined): boolean {
  return step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9;
}

function deeper(place: SchemaPlace, name: string): SchemaPlace {
  return { root: place.root, path: name === '' ? place.path : `${place.path}/${name}`, depth: place.depth + 1 };
}
