import { UnsupportedError, ValidationError } from '../../core/index.js';

/** A JSON object as it comes from a document. */
export type JSONObject = Readonly<Record<string, unknown>>;

/** `3.1` for the versions whose schemas are JSON Schema 2020-12. */
export type OpenAPIVersion = '3.0' | '3.1';

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An own member, or undefined: names come from data. */
export function member(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return /^(?:0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function textMember(value: unknown, key: string): string | undefined {
  const text = member(value, key);
  return typeof text === 'string' && text.trim() !== '' ? text : undefined;
}

/** A longer chain of references than anybody writes. */
const longestChain = 32;

/** An OpenAPI document with its references. Only those inside the document are followed. */
export class OpenAPIDocument {
  readonly version: OpenAPIVersion;
  readonly paths: JSONObject;
  readonly #root: JSONObject;

  /** @throws ValidationError for what is no OpenAPI 3.0 or 3.1 document */
  constructor(document: unknown) {
    if (!isObject(document)) throw refusal([], 'must be an object; parse JSON or YAML first');
    if ('swagger' in document) throw refusal(['swagger'], 'Swagger 2.0 must be converted to OpenAPI 3 first');
    const [, version] = /^(3\.[01])\.\d+/.exec(String(document.openapi)) ?? [];
    if (version === undefined) throw refusal(['openapi'], 'must be a version 3.0.x or 3.1.x');
    const { paths = {} } = document;
    if (!isObject(paths)) throw refusal(['paths'], 'must be an object');
    this.#root = document;
    this.version = version as OpenAPIVersion;
    this.paths = paths;
  }

  get securitySchemes(): JSONObject {
    const schemes = member(member(this.#root, 'components'), 'securitySchemes');
    return isObject(schemes) ? schemes : {};
  }

  /** What an operation asks for when it names no requirement of its own. */
  get security(): unknown {
    return this.#root.security;
  }

  /**
   * The target of a reference (RFC 6901 pointer in a fragment).
   *
   * @throws UnsupportedError for other documents and targets that are not there
   */
  at(reference: string): unknown {
    if (reference === '#') return this.#root;
    if (!reference.startsWith('#/'))
      throw new UnsupportedError(`the reference '${shown(reference)}' leaves the document; bundle it into one first`);
    let value: unknown = this.#root;
    for (const part of reference.slice(2).split('/')) {
      value = member(value, unescaped(part));
      if (value === undefined) throw new UnsupportedError(`the reference '${shown(reference)}' leads nowhere`);
    }
    return value;
  }

  /** The object itself, or what its `$ref` leads to in the end. */
  object(value: unknown, what: string): JSONObject {
    let current = value;
    for (let step = 0; step < longestChain; step++) {
      if (!isObject(current)) throw new UnsupportedError(`${what} is not an object`);
      const reference = current.$ref;
      if (typeof reference !== 'string') return current;
      current = this.at(reference);
    }
    throw new UnsupportedError(`${what} is a reference that leads back to itself`);
  }
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}

function shown(reference: string): string {
  return reference.slice(0, 200);
}

function refusal(path: readonly string[], message: string): ValidationError {
  return new ValidationError('OpenAPI document', [{ path, message }]);
}
