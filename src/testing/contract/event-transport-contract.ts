import type { EventTransport } from '../../events/index.js';
import { type ContractSuite, contractSuite } from './contract-suite.js';
import type { EventTransportCapability } from './event-case.js';
import { deliveryCases } from './event-delivery-cases.js';
import { EventHarness } from './event-harness.js';
import { logCases } from './event-log-cases.js';
import { orderCases } from './event-order-cases.js';

/**
 * What every event transport must do: deliver at least once to each group, keep what was
 * acknowledged away, redeliver, keep dead letters, order by key, read again, close. Subjects start
 * with an empty log.
 *
 * @example
 * eventTransportContract('in-process transport', () => inProcess());
 * eventTransportContract('broker without replay', () => broker(url), { capabilities: { replay: false } });
 */
export const eventTransportContract: ContractSuite<EventTransport, EventTransportCapability> = contractSuite(
  'EventTransport',
  [...deliveryCases, ...orderCases, ...logCases].map(({ run, ...rest }) => ({
    ...rest,
    run: (transport: EventTransport) => run(new EventHarness(transport)),
  })),
);
