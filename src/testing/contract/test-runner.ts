import { ConfigurationError } from '../../core/index.js';

/** The functions of a test runner that suites call. vitest's, jest's, mocha's and `node:test`'s fit. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

/**
 * The runner a suite registers with: the one given, else the global `describe` and `it`.
 *
 * @throws ConfigurationError when there is neither
 */
export function testRunner(given?: TestRunner): TestRunner {
  if (given) return given;
  const { describe, it } = globalThis as Partial<TestRunner>;
  if (typeof describe === 'function' && typeof it === 'function') return { describe, it };
  throw new ConfigurationError(
    "There is no test runner here. With vitest import from '@safla/sdk/testing/vitest'; else pass { runner: { describe, it } }",
    { field: 'runner' },
  );
}
