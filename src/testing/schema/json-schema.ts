import { UnsupportedError } from '../../core/index.js';

/** A JSON Schema, as tools and OpenAPI documents carry them. */
export type JSONSchema = boolean | SchemaObject;

/** The keywords of a schema by name. */
export type SchemaObject = { readonly [keyword: string]: unknown };

export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where a schema stands: references lead from its root. */
export interface SchemaPlace {
  readonly root: JSONSchema;
  /** As it reads in messages: `/items/name`. */
  readonly path: string;
  readonly depth: number;
}

/** Below this a schema contains itself without an end. */
export const maxDepth = 24;

/**
 * The schema with its reference followed and its `allOf` joined in: what stands in several branches is
 * joined for `properties` and `required`, else the last wins.
 *
 * @throws UnsupportedError for a reference that does not lead into the same document
 */
export function resolved(schema: JSONSchema, place: SchemaPlace): JSONSchema {
  if (!isSchemaObject(schema)) return schema;
  const { $ref, allOf, ...own } = schema;
  if (place.depth > maxDepth) throw new UnsupportedError(`The schema at ${place.path || '/'} contains itself`);
  const below = { ...place, depth: place.depth + 1 };
  const parts: JSONSchema[] = [];
  if (typeof $ref === 'string') parts.push(resolved(find($ref, place), below));
  if (Array.isArray(allOf)) for (const part of allOf as JSONSchema[]) parts.push(resolved(part, below));
  if (parts.includes(false)) return false;
  return parts.filter(isSchemaObject).concat(own).reduce(join, {});
}

function join(a: SchemaObject, b: SchemaObject): SchemaObject {
  return {
    ...a,
    ...b,
    ...(isSchemaObject(a.properties) && isSchemaObject(b.properties)
      ? { properties: { ...a.properties, ...b.properties } }
      : {}),
    ...(Array.isArray(a.required) && Array.isArray(b.required)
      ? { required: [...new Set([...a.required, ...b.required])] }
      : {}),
  };
}

/** A JSON pointer as a fragment (RFC 6901, section 6). */
function find(reference: string, { root, path }: SchemaPlace): JSONSchema {
  let found: unknown = reference.startsWith('#') ? root : undefined;
  for (const part of reference.slice(1).split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    found = (found as Record<string, unknown> | undefined)?.[key];
  }
  if (typeof found === 'boolean' || isSchemaObject(found)) return found;
  throw new UnsupportedError(`The schema at ${path || '/'} refers to '${reference}', which is not in the document`);
}
