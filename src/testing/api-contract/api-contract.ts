import assert from 'node:assert/strict';
import type { APIOperation, APIResponse, UnsupportedOperation } from '../../api/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import { type TestRunner, testRunner } from '../contract/test-runner.js';
import { isSchemaObject } from '../schema/json-schema.js';
import { schemaExample } from '../schema/schema-example.js';
import { schemaFaults } from './schema-validator.js';

/** What the contract needs of an API. `APIIntegration` has it. */
export interface ContractAPI {
  operations(document: unknown): Iterable<APIOperation> & { readonly unsupported: readonly UnsupportedOperation[] };
}

/** Settings of {@link apiContract}. */
export interface APIContractOptions {
  /** @default the global `describe` and `it` */
  readonly runner?: TestRunner;
  /** The title of the suite. @default the title of the document */
  readonly name?: string;
  /**
   * Arguments by operation name, where those made from the schemas would not do, as for the id of something
   * that exists; `false` leaves the operation out. An operation that writes is called only when it is named here.
   */
  readonly arguments?: Readonly<Record<string, Readonly<Record<string, unknown>> | false>>;
}

const checks: OptionChecks<APIContractOptions> = { runner: is.object, name: is.text, arguments: is.object };

/**
 * Registers a test for each operation of an OpenAPI 3.0 or 3.1 document: it is called for real, and its
 * answer must have a status that the document names and a body that fits its schema. What is not called is
 * said in the name of a test. Needs the package `ajv`.
 *
 * @param document parsed
 * @throws ConfigurationError without a runner; ValidationError for what is no such document
 * @example apiContract(api, JSON.parse(await readFile('openapi.json', 'utf8')), { arguments: { showPet: { petId: 7 } } });
 */
export function apiContract(api: ContractAPI, document: unknown, options: APIContractOptions = {}): void {
  checkOptions('apiContract', options, checks);
  const { describe, it } = testRunner(options.runner);
  const operations = api.operations(document);
  const all = [...operations];
  const called = all.filter((operation) => argumentsOf(operation, options) !== undefined);
  const left = [
    ...all.filter((operation) => !called.includes(operation)).map(({ method, path }) => `${method} ${path}`),
    ...operations.unsupported.map(({ method, path, reason }) => `${method} ${path} (${reason})`),
  ];
  describe(`${options.name ?? titleOf(document)} as its OpenAPI document says`, () => {
    const title = left.length > 0 ? `calls all but ${left.join('; ')}` : 'calls all operations';
    it(title, async () => {
      const names = all.map(({ name }) => name);
      const unknown = Object.keys(options.arguments ?? {}).filter((name) => !names.includes(name));
      assert.deepEqual(unknown, [], 'the document has no such operations');
      assert.ok(called.length > 0, 'no operation would be called: name those that write in { arguments }');
    });
    for (const operation of called) {
      it(`${operation.method} ${operation.path} answers as documented`, () =>
        answersAsDocumented(operation, document, argumentsOf(operation, options) ?? {}));
    }
  });
}

/** Undefined for what is not called. Made from the schemas when the test runs, so that a failure is that test's. */
function argumentsOf(
  { name, annotations }: APIOperation,
  options: APIContractOptions,
): Readonly<Record<string, unknown>> | 'generated' | undefined {
  const given = options.arguments?.[name];
  if (given === false) return undefined;
  return given ?? (annotations.readOnlyHint ? 'generated' : undefined);
}

async function answersAsDocumented(
  operation: APIOperation,
  document: unknown,
  given: Readonly<Record<string, unknown>> | 'generated',
): Promise<void> {
  const args = given === 'generated' ? (schemaExample({ ...operation.input }) as Record<string, unknown>) : given;
  const answer = await called(operation, args, given === 'generated');
  const documented = statusesOf(document, operation);
  if (documented.length > 0) {
    const known = [String(answer.status), `${String(answer.status)[0]}XX`, 'default'];
    assert.ok(
      known.some((status) => documented.includes(status)),
      `answered ${answer.status}; the document names ${documented.join(', ')}`,
    );
  }
  if (operation.output === undefined) return;
  const faults = await schemaFaults(operation.output, answer.data);
  assert.ok(faults.length === 0, `the answer is not as documented: ${faults.join('; ')}`);
}

async function called(
  operation: APIOperation,
  args: Readonly<Record<string, unknown>>,
  generated: boolean,
): Promise<APIResponse> {
  try {
    return await operation.call(args, { cache: false });
  } catch (error) {
    const hint = generated
      ? `; its arguments were generated, give others: { arguments: { ${operation.name}: … } }`
      : '';
    const message = error instanceof Error ? error.message : String(error);
    throw new assert.AssertionError({ message: `${message}${hint}` });
  }
}

/** The statuses under `responses`, without following references: path items rarely have them. */
function statusesOf(document: unknown, { path, method }: APIOperation): readonly string[] {
  let found: unknown = document;
  for (const key of ['paths', path, method.toLowerCase(), 'responses'])
    found = isSchemaObject(found) ? found[key] : undefined;
  return isSchemaObject(found)
    ? Object.keys(found).map((status) => (status === 'default' ? status : status.toUpperCase()))
    : [];
}

function titleOf(document: unknown): string {
  const info = isSchemaObject(document) ? document.info : undefined;
  const title = isSchemaObject(info) ? info.title : undefined;
  return typeof title === 'string' ? title : 'The API';
}
