import { ConfigurationError } from '../../core/index.js';
import type { TestRunner } from '../contract/test-runner.js';

type Hook = (body: () => Promise<void>, timeoutMs?: number) => unknown;

/**
 * A {@link TestRunner} with hooks around a suite: `beforeAll` and `afterAll` (vitest, jest), or `before` and
 * `after` (`node:test`, mocha). The module `node:test` is one: `import * as runner from 'node:test'`.
 */
export interface SuiteRunner {
  readonly describe: TestRunner['describe'];
  /** Runners with `beforeAll` are given the longest time of a test, in milliseconds, as third argument. */
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly beforeAll?: Hook;
  readonly afterAll?: Hook;
  readonly before?: (body: () => Promise<void>) => unknown;
  readonly after?: (body: () => Promise<void>) => unknown;
}

/** One way to call every runner. */
export interface Suite {
  describe(name: string, body: () => void): void;
  it(name: string, body: () => Promise<void>): void;
  beforeAll(body: () => Promise<void>): void;
  afterAll(body: () => Promise<void>): void;
}

/** What starting a service for the first time may take, on a slow machine. */
const hookMs = 120_000;
const testMs = 60_000;

/**
 * The runner given, else the global functions.
 *
 * @throws ConfigurationError when there is none, or it has no hooks
 */
export function suiteOf(given?: SuiteRunner): Suite {
  const { describe, it, beforeAll, afterAll, before, after } = given ?? (globalThis as Partial<SuiteRunner>);
  if (typeof describe === 'function' && typeof it === 'function') {
    const register = (name: string, body: () => void): void => void describe(name, body);
    if (beforeAll && afterAll) {
      return {
        describe: register,
        it: (name, body) => void it(name, body, testMs),
        beforeAll: (body) => void beforeAll(body, hookMs),
        afterAll: (body) => void afterAll(body, hookMs),
      };
    }
    if (before && after) {
      return {
        describe: register,
        it: (name, body) => void it(name, body),
        beforeAll: (body) => void before(body),
        afterAll: (body) => void after(body),
      };
    }
  }
  throw new ConfigurationError(
    "There is no test runner with hooks here. With vitest import from '@safla/sdk/testing/vitest'; with node:test pass { runner: nodeTest } of import * as nodeTest from 'node:test'; else { runner: { describe, it, beforeAll, afterAll } }",
    { field: 'runner' },
  );
}
