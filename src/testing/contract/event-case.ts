import type { EventTransportCapabilities } from '../../events/index.js';
import type { EventHarness } from './event-harness.js';

/** What a transport may lack. `durable` is not among them: proving it takes a second process. */
export type EventTransportCapability = Exclude<keyof EventTransportCapabilities, 'durable'>;

/** A case that speaks to the transport through the harness. */
export interface EventCase {
  readonly name: string;
  readonly needs?: EventTransportCapability;
  run(events: EventHarness): Promise<void>;
}
