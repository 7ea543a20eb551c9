/** The suites that cannot run without a service. */
const suites: Readonly<Record<string, readonly string[]>> = {
  redis: [
    'tests/drivers/redis/shared-limiter.test.ts',
    'tests/examples/services.test.ts',
    'tests/testing/namespace.test.ts',
    'tests/testing/test-container.test.ts',
    'tests/testing/watchdog.test.ts',
  ],
  postgres: [
    'tests/examples/services.test.ts',
    'tests/testing/namespace.test.ts',
    'tests/testing/package-postgres.test.ts',
    'tests/testing/test-container.test.ts',
    'tests/testing/watchdog.test.ts',
  ],
};

/** A suite that was left out, and the missing services that it needs. */
export interface NotRun {
  readonly suite: string;
  readonly services: readonly string[];
}

/** @param args What vitest is given: its filter words choose among the suites, as they do there. */
export function notRun(missing: readonly string[], args: readonly string[]): NotRun[] {
  // A word behind an option may be its value, so it is no filter to us.
  const words = args.filter((arg, i) => !arg.startsWith('-') && !/^-[^=]*$/.test(args[i - 1] ?? ''));
  const named = [...new Set(missing.flatMap((service) => suites[service] ?? []))];
  return named
    .filter((suite) => words.length === 0 || words.some((word) => suite.includes(word)))
    .map((suite) => ({ suite, services: missing.filter((service) => suites[service]?.includes(suite)) }));
}
