import { NotFoundError, SaflaError, ValidationError } from '../../core/index.js';
import { hint } from '../../core/internal.js';
import {
  type CompileContext,
  CompiledOperation,
  type OperationSource,
  type SendRequest,
} from './compiled-operation.js';
import { isObject, type JSONObject, OpenAPIDocument, textMember } from './document.js';
import type { APIOperation, UnsupportedOperation } from './operation.js';
import { SchemaConverter } from './schema-converter.js';
import { UniqueNames } from './unique-name.js';

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/** More than any API has. */
const maxOperations = 20_000;

/**
 * The operations of an OpenAPI 3.0 or 3.1 document, each callable. What cannot be called is named in
 * `unsupported` and left out. The document says nothing about where requests go: that is the API's base.
 *
 * @example
 * const operations = api.operations(JSON.parse(await readFile('openapi.json', 'utf8')));
 * const { data } = await operations.get('showPetById').call({ petId: '7' });
 */
export class APIOperations implements Iterable<APIOperation> {
  /** What was left out, and why. */
  readonly unsupported: readonly UnsupportedOperation[];
  readonly #operations: ReadonlyMap<string, APIOperation>;

  /** @throws ValidationError for what is no OpenAPI 3.0 or 3.1 document */
  constructor(source: unknown, send: SendRequest) {
    const document = new OpenAPIDocument(source);
    const context: CompileContext = {
      document,
      requests: new SchemaConverter(document, 'request'),
      responses: new SchemaConverter(document, 'response'),
      send,
    };
    const operations = new Map<string, APIOperation>();
    const unsupported: UnsupportedOperation[] = [];
    for (const found of sources(document)) {
      const compiled = 'reason' in found ? found : compile(found, context);
      if ('reason' in compiled) unsupported.push(compiled);
      else operations.set(compiled.name, compiled);
    }
    this.#operations = operations;
    this.unsupported = unsupported;
  }

  get size(): number {
    return this.#operations.size;
  }

  /** @throws NotFoundError with the nearest name */
  get(name: string): APIOperation {
    const found = this.#operations.get(name);
    if (found) return found;
    const known = [...this.#operations.keys()];
    const near = hint(name, known);
    throw new NotFoundError(
      `There is no operation '${name}'${near.includes('known:') ? ` among ${known.length}` : near}`,
    );
  }

  [Symbol.iterator](): Iterator<APIOperation> {
    return this.#operations.values();
  }
}

function* sources(document: OpenAPIDocument): Generator<OperationSource | UnsupportedOperation> {
  const names = new UniqueNames();
  let count = 0;
  for (const [path, raw] of Object.entries(document.paths)) {
    if (path.startsWith('x-')) continue;
    const item = attempt(() => document.object(raw, 'the path item'), '*', path);
    if ('reason' in item) {
      yield item;
      continue;
    }
    for (const method of methods) {
      const { [method]: operation } = item.value;
      if (operation === undefined) continue;
      count += 1;
      if (count > maxOperations)
        throw new ValidationError('OpenAPI document', [
          { path: ['paths'], message: `has more than ${maxOperations} operations` },
        ]);
      yield sourceOf(names, method.toUpperCase(), path, item.value, operation);
    }
  }
}

function sourceOf(
  names: UniqueNames,
  method: string,
  path: string,
  item: JSONObject,
  operation: unknown,
): OperationSource | UnsupportedOperation {
  const unsupported = (reason: string): UnsupportedOperation => ({ method, path, reason });
  if (!isObject(operation)) return unsupported('the operation is not an object');
  const name = names.of(textMember(operation, 'operationId') ?? `${method.toLowerCase()}${path}`);
  if (method === 'TRACE') return unsupported('TRACE is not sent: answers to it repeat credentials');
  if (!path.startsWith('/')) return unsupported('the path does not begin with a slash');
  return { name, method, path, item, operation };
}

function compile(source: OperationSource, context: CompileContext): APIOperation | UnsupportedOperation {
  const { method, path } = source;
  const compiled = attempt(() => new CompiledOperation(source, context), method, path);
  return 'reason' in compiled ? compiled : compiled.value;
}

function attempt<T>(make: () => T, method: string, path: string): { readonly value: T } | UnsupportedOperation {
  try {
    return { value: make() };
  } catch (error) {
    if (!SaflaError.is(error)) throw error;
    return { method, path, reason: error.message };
  }
}
