import assert from 'node:assert/strict';
import { type Awaitable, SaflaError } from '../../core/index.js';
import { type TestRunner, testRunner } from './test-runner.js';

/** One thing that every provider must do. */
export interface ContractCase<Subject, Capability extends string = never> {
  /** The behaviour, as it reads in the test's name. */
  readonly name: string;
  /** The capability it is about; providers without it are tested by `refused` instead. */
  readonly needs?: Capability;
  /** Uses a fresh subject; throws when it does not behave. */
  run(subject: Subject): Promise<void>;
  /** The call that a provider without the capability must refuse with UnsupportedError. */
  refused?(subject: Subject): Awaitable<unknown>;
}

/** Settings of one run of a suite. */
export interface ContractOptions<Capability extends string = never> {
  /** @default the global `describe` and `it` */
  readonly runner?: TestRunner;
  /** What the provider cannot do, as `false`. @default everything can be done */
  readonly capabilities?: { readonly [Name in Capability]?: boolean };
}

/**
 * Registers a suite's cases for one provider.
 *
 * @param provider Names the provider in the test's names.
 * @param make Gives a fresh, empty subject. Called once for each case; the subject is closed after it.
 * @throws ConfigurationError without a test runner
 */
export type ContractSuite<Subject, Capability extends string = never> = (
  provider: string,
  make: () => Awaitable<Subject>,
  options?: ContractOptions<Capability>,
) => void;

/**
 * Writes a contract once, to be run for each provider of an interface. A case whose capability a
 * provider lacks is not skipped in silence: it checks that the call is refused with
 * UnsupportedError, or, where nothing can be called, is listed in the name of one test that fails
 * when the subject's own `capabilities` say otherwise.
 *
 * @example
 * const counterContract = contractSuite<Counter>('Counter', [
 *   { name: 'starts at 0', run: async (counter) => assert.equal(await counter.value(), 0) },
 * ]);
 * counterContract('RedisCounter', () => new RedisCounter(url));
 */
export function contractSuite<Subject, Capability extends string = never>(
  contract: string,
  cases: readonly ContractCase<Subject, Capability>[],
): ContractSuite<Subject, Capability> {
  return (provider, make, options = {}) => {
    const { describe, it } = testRunner(options.runner);
    const declared: { readonly [Name in Capability]?: boolean } = options.capabilities ?? {};
    const can = (name: Capability | undefined): boolean => name === undefined || declared[name] !== false;
    describe(`${provider} as ${contract}`, () => {
      const listed = new Map<Capability, string[]>();
      for (const { name, needs, run, refused } of cases) {
        if (needs === undefined || can(needs)) it(name, () => withSubject(make, run));
        else if (refused)
          it(`${name}: refused, for want of '${needs}'`, () =>
            withSubject(make, (subject) => isRefused(() => refused(subject))));
        else listed.set(needs, [...(listed.get(needs) ?? []), name]);
      }
      for (const [needs, names] of listed) {
        it(`not applicable, for want of '${needs}': ${names.join('; ')}`, () =>
          withSubject(make, (subject) => lacks(subject, needs)));
      }
    });
  };
}

/** The suite with a runner of its own, for entry points that know theirs. */
export function withRunner<Subject, Capability extends string>(
  suite: ContractSuite<Subject, Capability>,
  runner: TestRunner,
): ContractSuite<Subject, Capability> {
  return (provider, make, options) => suite(provider, make, { runner, ...options });
}

async function withSubject<Subject>(
  make: () => Awaitable<Subject>,
  use: (subject: Subject) => Promise<void>,
): Promise<void> {
  const subject = await make();
  try {
    await use(subject);
  } finally {
    await closeSubject(subject);
  }
}

async function closeSubject(subject: unknown): Promise<void> {
  const { close, [Symbol.asyncDispose]: dispose } = subject as Partial<AsyncDisposable & { close(): Promise<void> }>;
  if (dispose) await dispose.call(subject);
  else await close?.call(subject);
}

async function isRefused(call: () => Awaitable<unknown>): Promise<void> {
  await failsWith('UNSUPPORTED', 'the call', call);
}

/** @throws AssertionError unless `call` fails with a SaflaError of this code */
export async function failsWith(code: SaflaError['code'], what: string, call: () => Awaitable<unknown>): Promise<void> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error !== undefined, `${what} must fail with ${code}, but was accepted`);
  assert.ok(SaflaError.is(error), `${what} must fail with ${code}, but failed with ${String(error)}`);
  assert.equal(error.code, code, `${what} must fail with ${code}, but failed with ${error.name}: ${error.message}`);
}

async function lacks(subject: unknown, capability: string): Promise<void> {
  const { capabilities } = subject as { capabilities?: Readonly<Record<string, unknown>> };
  assert.notEqual(capabilities?.[capability], true, `The subject says it has the capability '${capability}'`);
}
