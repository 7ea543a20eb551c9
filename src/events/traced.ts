import type { TelemetryOptions } from '../core/index.js';

const api: unique symbol = Symbol.for('opentelemetry.js.api.1');

/**
 * Tells whether anybody may look at spans: the host gave a tracer, or registered OpenTelemetry, which
 * leaves its API under this well-known symbol. Asking costs less than an empty span does.
 */
export function isTraced(options: TelemetryOptions | undefined): boolean {
  return options?.tracer !== undefined || api in globalThis;
}
