import type { Attributes, Meter } from '@opentelemetry/api';
import { type DataPoint, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

/** Measurements of one histogram that had the same attributes. */
export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly attributes: Attributes;
  readonly count: number;
  readonly sum: number;
  readonly boundaries: readonly number[];
}

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** The OpenTelemetry metrics SDK, read when a test asks. */
export class HeldMetrics {
  readonly #reader: Reader = new Reader();
  readonly provider: MeterProvider = new MeterProvider({ readers: [this.#reader] });
  readonly meter: Meter = this.provider.getMeter('test');

  /** All histograms so far, in the order they were begun. */
  async read(): Promise<Measured[]> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor: { name, unit }, dataPoints }) =>
        (dataPoints as DataPoint<Histogram>[]).map(({ attributes, value }) => {
          const { count, sum = 0, buckets } = value;
          return { name, unit, attributes, count, sum, boundaries: buckets.boundaries };
        }),
      ),
    );
  }

  /** Waits until `count` measurements were taken: they are recorded behind the call. */
  async taken(count: number): Promise<Measured[]> {
    for (;;) {
      const measured = await this.read();
      if (measured.reduce((sum, each) => sum + each.count, 0) >= count) return measured;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
