/** The suites that cannot run without a service, or without a program that they start themselves. */
const suites: Readonly<Record<string, readonly string[]>> = {
  redis: [
    'tests/agents/bullmq.test.ts',
    'tests/agents/events.test.ts',
    'tests/database/outbox-crash.test.ts',
    'tests/drivers/redis/shared-limiter.test.ts',
    'tests/events/bad-input.test.ts',
    'tests/events/outbox/crash.test.ts',
    'tests/events/redis-bus.test.ts',
    'tests/events/redis-clock.test.ts',
    'tests/events/redis-contract.test.ts',
    'tests/events/redis-streams.test.ts',
    'tests/events/redis-wire.test.ts',
    'tests/examples/services.test.ts',
    'tests/security/limits.test.ts',
    'tests/security/redis-outage.test.ts',
    'tests/security/redis-token-store.test.ts',
    'tests/security/security-integration.test.ts',
    'tests/seed/seed.test.ts',
    'tests/testing/namespace.test.ts',
    'tests/testing/test-container.test.ts',
    'tests/testing/watchdog.test.ts',
  ],
  'redis-server': [
    'tests/agents/bullmq.test.ts',
    'tests/database/outbox-crash.test.ts',
    'tests/events/bad-input.test.ts',
    'tests/events/cluster.test.ts',
    'tests/events/outbox/crash.test.ts',
    'tests/events/redis-bus.test.ts',
    'tests/events/redis-clock.test.ts',
    'tests/events/redis-contract.test.ts',
    'tests/events/redis-faults.test.ts',
    'tests/events/redis-streams.test.ts',
    'tests/events/redis-wire.test.ts',
    'tests/events/sentinel.test.ts',
    'tests/events/soak/redis.test.ts',
    'tests/examples/services.test.ts',
    'tests/security/redis-cluster.test.ts',
    'tests/security/redis-outage.test.ts',
    'tests/testing/namespace.test.ts',
    'tests/testing/test-container.test.ts',
  ],
  postgres: [
    'tests/database/connecting.test.ts',
    'tests/database/database-integration.test.ts',
    'tests/database/engines.test.ts',
    'tests/database/faults.test.ts',
    'tests/database/migrate.test.ts',
    'tests/database/naughty-strings.test.ts',
    'tests/database/outbox-crash.test.ts',
    'tests/database/pgvector.test.ts',
    'tests/database/serializable.test.ts',
    'tests/database/tls.test.ts',
    'tests/events/outbox/contract.test.ts',
    'tests/events/outbox/crash.test.ts',
    'tests/events/outbox/outbox.test.ts',
    'tests/events/outbox/postgres-database.test.ts',
    'tests/examples/services.test.ts',
    'tests/mcp/tool-cancellation.test.ts',
    'tests/memory/pgvector-server.test.ts',
    'tests/seed/integration-test-framework.test.ts',
    'tests/seed/seed.test.ts',
    'tests/testing/namespace.test.ts',
    'tests/testing/outbox-contract.test.ts',
    'tests/testing/package-postgres.test.ts',
    'tests/testing/test-container.test.ts',
    'tests/testing/watchdog.test.ts',
  ],
  'nats-server': [
    'tests/events/jetstream/contract.test.ts',
    'tests/events/jetstream/jetstream-transport.test.ts',
    'tests/events/soak/jetstream.test.ts',
    'tests/examples/services.test.ts',
    'tests/testing/more-services.test.ts',
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
