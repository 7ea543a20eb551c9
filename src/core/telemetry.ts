import type { Attributes, Context, Histogram, Meter, Span, Tracer } from '@opentelemetry/api';
import { correlationIdHere } from './context.js';
import { SaflaError } from './errors/safla-error.js';
import { lazy } from './imports.js';
import { type Logger, safeLogger, silentLogger } from './logger.js';
import { describeError } from './redact.js';

/** Where logs, spans and metrics go. Taken by every class as `telemetry`. */
export interface TelemetryOptions {
  /** Pino-shaped. @default logs nothing */
  readonly logger?: Logger;
  /** @default the tracer of the global OpenTelemetry API */
  readonly tracer?: Tracer;
  /** @default the meter of the global OpenTelemetry API */
  readonly meter?: Meter;
}

/** What a span is about, by the numbers of OpenTelemetry's `SpanKind`. */
export const spanKind = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 } as const;

/** A span to open. Names and attributes follow the stable OpenTelemetry semantic conventions. */
export interface SpanRequest {
  readonly name: string;
  readonly kind: (typeof spanKind)[keyof typeof spanKind];
  readonly attributes?: Attributes;
  /**
   * The W3C trace context (`traceparent`, `tracestate`) of whoever caused this from elsewhere: their span
   * becomes the parent, and none when there is no valid one. @default the span that is active here
   */
  readonly remote?: Readonly<Record<string, string | undefined>>;
}

/** OpenTelemetry's `SpanStatusCode.ERROR`. */
const statusError = 2;
const version = '0.1.0';
/** OpenTelemetry semantic conventions, HTTP metrics. */
const secondBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const loadApi = lazy(() => import('@opentelemetry/api'));

/**
 * The logger, tracer and meter of one component. Costs next to nothing until the host either passes
 * a tracer or meter or registers an OpenTelemetry SDK; only then is the API package loaded.
 */
export class Telemetry {
  readonly logger: Logger;
  readonly #component: string;
  readonly #options: TelemetryOptions;
  readonly #histograms: Map<string, { readonly meter: Meter; readonly histogram: Histogram }> = new Map();

  constructor(component: string, options: TelemetryOptions = {}) {
    this.#component = component;
    this.#options = options;
    this.logger = safeLogger(options.logger, component);
  }

  /** True when somebody may look at spans: the host gave a tracer, or registered OpenTelemetry. */
  get tracing(): boolean {
    return this.#options.tracer !== undefined || hostUsesOpenTelemetry();
  }

  /** True when anything that is told here may be heard, as a log, span or metric. Asking costs less than telling nobody. */
  get listening(): boolean {
    return this.logger !== silentLogger || this.#options.meter !== undefined || this.tracing;
  }

  /**
   * Runs `work` inside a span that is active for everything it awaits. An error marks the span with
   * its code and redacted message, and is thrown on.
   */
  async span<T>(request: SpanRequest, work: (span: Span | undefined) => Promise<T>): Promise<T> {
    const tracer = this.#options.tracer ?? (await this.#globalTracer());
    if (!tracer) return work(undefined);
    const correlationId = correlationIdHere();
    const attributes = { ...request.attributes, ...(correlationId ? { 'safla.correlation_id': correlationId } : {}) };
    const run = async (span: Span): Promise<T> => {
      try {
        return await work(span);
      } catch (error) {
        markFailed(span, error);
        throw error;
      } finally {
        span.end();
      }
    };
    const options = { kind: request.kind, attributes };
    const parent = request.remote && (await remoteParent(request.remote));
    return parent
      ? tracer.startActiveSpan(request.name, options, parent, run)
      : tracer.startActiveSpan(request.name, options, run);
  }

  /**
   * Records a duration in a histogram in seconds, with the buckets that the semantic conventions advise.
   * Returns at once and never fails: a broken meter must not break the call it measures.
   */
  duration(name: string, milliseconds: number, attributes: Attributes): void {
    const meter = this.#options.meter ?? (hostUsesOpenTelemetry() ? this.#globalMeter() : undefined);
    if (!meter) return;
    Promise.resolve(meter)
      .then((ready) => this.#histogram(ready, name).record(milliseconds / 1000, attributes))
      .catch((error: unknown) => this.logger.warn({ error }, 'A metric could not be recorded'));
  }

  /** The W3C trace context of the active span as headers, empty without one. */
  async propagation(): Promise<Record<string, string>> {
    if (!hostUsesOpenTelemetry()) return {};
    const api = await loadApi();
    const headers: Record<string, string> = {};
    api.propagation.inject(api.context.active(), headers);
    return headers;
  }

  async #globalTracer(): Promise<Tracer | undefined> {
    if (!hostUsesOpenTelemetry()) return undefined;
    return (await loadApi()).trace.getTracer(`@safla/sdk/${this.#component}`, version);
  }

  async #globalMeter(): Promise<Meter> {
    return (await loadApi()).metrics.getMeter(`@safla/sdk/${this.#component}`, version);
  }

  #histogram(meter: Meter, name: string): Histogram {
    const made = this.#histograms.get(name);
    if (made?.meter === meter) return made.histogram;
    const histogram = meter.createHistogram(name, { unit: 's', advice: { explicitBucketBoundaries: secondBuckets } });
    this.#histograms.set(name, { meter, histogram });
    return histogram;
  }
}

/**
 * The API package registers what the host set up under this well-known symbol, shared by all its
 * 1.x copies. As long as it is absent, loading the package (60 CPU ms) could only give no-ops.
 */
function hostUsesOpenTelemetry(): boolean {
  return Symbol.for('opentelemetry.js.api.1') in globalThis;
}

async function remoteParent(headers: NonNullable<SpanRequest['remote']>): Promise<Context | undefined> {
  if (!hostUsesOpenTelemetry()) return undefined;
  const { propagation, ROOT_CONTEXT } = await loadApi();
  return propagation.extract(ROOT_CONTEXT, headers);
}

function markFailed(span: Span, error: unknown): void {
  const type = SaflaError.is(error) ? error.code : error instanceof Error ? error.name : 'UNKNOWN';
  const message = describeError(error);
  span.setAttribute('error.type', type);
  span.setStatus({ code: statusError, message });
}
