import { openScope } from './call-scope.js';
import { describeError, redactText } from './redact.js';
import type { CallOptions, HealthCheck } from './types.js';

/** `pass`: works. `warn`: works, with a concern. `fail`: does not work. */
export type HealthStatus = 'pass' | 'warn' | 'fail';

/** The state of one integration. */
export interface Health {
  readonly status: HealthStatus;
  /** What is wrong, for a person; absent when `status` is `pass`. Holds no secrets. */
  readonly output?: string;
  /** Milliseconds the probe took, absent when nothing was probed. */
  readonly latencyMs?: number;
  /** Facts worth showing: breaker state, pool sizes. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An aggregated answer in the shape of `application/health+json`
 * (draft-inadarei-api-health-check-06, sections 3 and 4).
 */
export interface HealthReport {
  readonly status: HealthStatus;
  readonly checks: Readonly<Record<string, readonly HealthReportCheck[]>>;
}

/** One entry of {@link HealthReport.checks}. */
export interface HealthReportCheck {
  readonly status: HealthStatus;
  /** When it was checked, RFC 3339. */
  readonly time: string;
  readonly output?: string;
  /** The probe's duration; `observedUnit` is `ms`. */
  readonly observedValue?: number;
  readonly observedUnit?: 'ms';
  readonly details?: Readonly<Record<string, unknown>>;
}

const rank: Record<HealthStatus, number> = { pass: 0, warn: 1, fail: 2 };

/**
 * Asks all integrations at once and gives one answer: the worst status wins. It starts no server;
 * hand it to your own `/health` route. Integrations with the same `name` share one list. It never
 * rejects: a check that throws or exceeds `timeoutMs` counts as `fail`.
 *
 * @example app.get('/health', async (_, res) => { const r = await healthReport([api, db]); res.status(r.status === 'fail' ? 503 : 200).json(r); });
 */
export async function healthReport(
  integrations: readonly HealthCheck[],
  options: CallOptions = {},
): Promise<HealthReport> {
  const time = new Date().toISOString();
  const answers = await Promise.all(integrations.map((integration) => probe(integration, options)));
  const checks: Record<string, HealthReportCheck[]> = {};
  let status: HealthStatus = 'pass';
  answers.forEach((answer, index) => {
    if (rank[answer.status] > rank[status]) status = answer.status;
    const name = integrations[index]?.name ?? 'unnamed';
    checks[name] = [...(checks[name] ?? []), toCheck(answer, time)];
  });
  return { status, checks };
}

async function probe(integration: HealthCheck, options: CallOptions): Promise<Health> {
  try {
    const timeoutMs = options.timeoutMs ?? 5_000;
    using scope = openScope(`health of ${integration.name}`, { ...options, timeoutMs });
    const health = await scope.run(() => integration.health({ signal: scope.signal }));
    if (health.status in rank) return health;
    return { status: 'fail', output: 'its health check gave no status' };
  } catch (error) {
    return { status: 'fail', output: describeError(error) };
  }
}

function toCheck({ latencyMs, ...answer }: Health, time: string): HealthReportCheck {
  const output = answer.output === undefined ? {} : { output: redactText(answer.output) };
  return {
    ...answer,
    ...output,
    time,
    ...(latencyMs === undefined ? {} : { observedValue: latencyMs, observedUnit: 'ms' }),
  };
}
