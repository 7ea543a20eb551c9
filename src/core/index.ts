export { BoundedQueue, type BoundedQueueOptions, type OverflowPolicy, type Removal } from './bounded-queue.js';
export { CallScope, type CancelListener, openScope, type ScopeOptions } from './call-scope.js';
export { type Clock, quietClock, systemClock } from './clock.js';
export {
  type ContextOptions,
  type CurrentContext,
  currentContext,
  detach,
  withContext,
} from './context.js';
export { type EventMap, TypedEmitter } from './emitter.js';
export * from './errors/index.js';
export { type Health, type HealthReport, type HealthReportCheck, type HealthStatus, healthReport } from './health.js';
export { Lifecycle } from './lifecycle.js';
export { type Logger, safeLogger, silentLogger } from './logger.js';
export { compose, type Middleware } from './middleware.js';
export { redact, redactText } from './redact.js';
export { type StandardSchemaV1, validate, validateSync } from './schema.js';
export { type SpanRequest, spanKind, Telemetry, type TelemetryOptions } from './telemetry.js';
export type { Awaitable, CallOptions, Closeable, CloseOptions, HealthCheck } from './types.js';
