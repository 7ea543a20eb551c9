import { UnsupportedError } from '../../core/index.js';
import { isObject, type JSONObject, member, type OpenAPIDocument } from './document.js';
import type { OperationSchema } from './operation.js';
import { isPattern, listKeywords, mapKeywords, plainKeywords, schemaKeywords } from './schema-keywords.js';

/** A schema and the pointers it refers to. */
export interface ConvertedSchema {
  readonly schema: OperationSchema;
  readonly references: ReadonlySet<string>;
}

/** Which way the data goes: what is `readOnly` is not asked for, what is `writeOnly` not given. */
export type Direction = 'request' | 'response';

/** Bounds of one schema: what is beyond was made to overflow something. */
const maxDepth = 100;
const maxNodes = 20_000;

/**
 * Turns the schemas of a document into JSON Schema 2020-12 that stands alone: `nullable`, boolean
 * `exclusiveMinimum` and other words of OpenAPI 3.0 are written in today's, what no validator knows is
 * left out, and references lead into `$defs`. Each target is converted once for the whole document.
 */
export class SchemaConverter {
  readonly #document: OpenAPIDocument;
  readonly #hidden: 'readOnly' | 'writeOnly';
  readonly #targets: Map<string, ConvertedSchema> = new Map();
  readonly #names: Map<string, string> = new Map();
  readonly #taken: Set<string> = new Set();

  constructor(document: OpenAPIDocument, direction: Direction) {
    this.#document = document;
    this.#hidden = direction === 'request' ? 'readOnly' : 'writeOnly';
  }

  /** @throws UnsupportedError for references that cannot be followed and schemas past all bounds */
  convert(schema: unknown): ConvertedSchema {
    const run = new Conversion(this.#document, this.#hidden, (pointer) => this.#nameOf(pointer));
    const converted = run.schema(schema, 0);
    return { schema: converted, references: run.references };
  }

  /** Everything the pointers lead to, by name; undefined when there are none. */
  definitions(references: Iterable<string>): Readonly<Record<string, OperationSchema>> | undefined {
    const found: Record<string, OperationSchema> = {};
    const seen = new Set(references);
    for (const pointer of seen) {
      const target = this.#target(pointer);
      found[this.#nameOf(pointer)] = target.schema;
      for (const next of target.references) seen.add(next);
    }
    return seen.size > 0 ? found : undefined;
  }

  #target(pointer: string): ConvertedSchema {
    const known = this.#targets.get(pointer);
    if (known) return known;
    const target = this.#document.at(pointer);
    // What is nothing but a reference must end somewhere, or validators would run in a circle.
    if (isObject(target) && typeof target.$ref === 'string') this.#document.object(target, `'${pointer}'`);
    const converted = this.convert(target);
    this.#targets.set(pointer, converted);
    return converted;
  }

  #nameOf(pointer: string): string {
    const known = this.#names.get(pointer);
    if (known !== undefined) return known;
    const base = (pointer.split('/').at(-1) ?? '').replaceAll(/[^A-Za-z0-9_.-]/g, '_').slice(0, 60) || 'schema';
    let name = base;
    for (let number = 2; this.#taken.has(name); number++) name = `${base}_${number}`;
    this.#taken.add(name);
    this.#names.set(pointer, name);
    return name;
  }
}

/** One conversion, with its bounds. */
class Conversion {
  readonly references: Set<string> = new Set();
  readonly #document: OpenAPIDocument;
  readonly #hidden: 'readOnly' | 'writeOnly';
  readonly #nameOf: (pointer: string) => string;
  #nodes = 0;

  constructor(document: OpenAPIDocument, hidden: 'readOnly' | 'writeOnly', nameOf: (pointer: string) => string) {
    this.#document = document;
    this.#hidden = hidden;
    this.#nameOf = nameOf;
  }

  schema(value: unknown, depth: number): OperationSchema {
    if (typeof value === 'boolean') return value;
    if (!isObject(value)) return {};
    this.#nodes += 1;
    if (depth > maxDepth) throw new UnsupportedError(`a schema is nested deeper than ${maxDepth} levels`);
    if (this.#nodes > maxNodes) throw new UnsupportedError(`a schema has more than ${maxNodes} parts`);
    if (value.$dynamicRef !== undefined) throw new UnsupportedError('a schema uses $dynamicRef');
    const out = typeof value.$ref === 'string' ? this.#reference(value, depth) : this.#keywords(value, depth);
    return value.nullable === true ? nullable(out) : out;
  }

  #reference(value: JSONObject, depth: number): Record<string, unknown> {
    const pointer = String(value.$ref);
    this.#document.at(pointer);
    this.references.add(pointer);
    // Beside a reference, 3.0 knows nothing; a description does no harm.
    const { description } = value;
    const beside =
      this.#document.version === '3.1'
        ? this.#keywords(value, depth)
        : typeof description === 'string'
          ? { description }
          : {};
    return { ...beside, $ref: `#/$defs/${this.#nameOf(pointer)}` };
  }

  #keywords(value: JSONObject, depth: number): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    for (const [keyword, given] of Object.entries(value)) {
      if (plainKeywords[keyword]?.(given)) out[keyword] = given;
      else if (schemaKeywords.includes(keyword) && (isObject(given) || typeof given === 'boolean'))
        out[keyword] = this.schema(given, depth + 1);
      else if (listKeywords.includes(keyword) && Array.isArray(given) && given.length > 0)
        out[keyword] = given.map((one) => this.schema(one, depth + 1));
      else if (mapKeywords.includes(keyword) && isObject(given)) out[keyword] = this.#map(keyword, given, depth);
    }
    modernise(value, out);
    if (isObject(value.properties) && Array.isArray(out.required)) this.#dropHidden(value.properties, out);
    return out;
  }

  #map(keyword: string, given: JSONObject, depth: number): Record<string, unknown> {
    const entries = Object.entries(given).filter(([name, schema]) => {
      if (keyword === 'patternProperties') return isPattern(name);
      return keyword !== 'properties' || !this.#isHidden(schema);
    });
    return Object.fromEntries(entries.map(([name, schema]) => [name, this.schema(schema, depth + 1)]));
  }

  #dropHidden(properties: JSONObject, out: Record<string, unknown>): void {
    const names = new Set(out.required as string[]);
    out.required = [...names].filter((name) => !this.#isHidden(member(properties, name)));
  }

  #isHidden(schema: unknown): boolean {
    if (!isObject(schema)) return false;
    const target = typeof schema.$ref === 'string' ? this.#document.object(schema, 'a property') : schema;
    return target[this.#hidden] === true;
  }
}

/** Words of OpenAPI 3.0 and of earlier drafts, in those of 2020-12. */
function modernise(value: JSONObject, out: Record<string, unknown>): void {
  for (const [exclusive, inclusive] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (value[exclusive] !== true || typeof out[inclusive] !== 'number') continue;
    out[exclusive] = out[inclusive];
    delete out[inclusive];
  }
  if ('example' in value && !('examples' in out)) out.examples = [value.example];
  if (out.format === 'byte') {
    out.contentEncoding ??= 'base64';
    delete out.format;
  }
  if (Array.isArray(out.required)) out.required = [...new Set(out.required)];
  if (Array.isArray(out.type)) out.type = [...new Set(out.type)];
}

function nullable(schema: Record<string, unknown>): OperationSchema {
  const { type, enum: values } = schema;
  // Without a type everything is allowed, null too, unless something else says otherwise.
  if (typeof type !== 'string' || 'const' in schema) return { anyOf: [schema, { type: 'null' }] };
  const withNull = Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {};
  return { ...schema, type: [type, 'null'], ...withNull };
}
