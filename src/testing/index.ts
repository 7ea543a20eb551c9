export type { Direction } from './fault-proxy/conditions.js';
export { FaultProxy, type FaultProxyConnections, type FaultProxyOptions } from './fault-proxy/fault-proxy.js';
export { ManualClock } from './manual-clock.js';
export { type ServiceAttempt, ServiceUnavailableError } from './service-unavailable-error.js';
export type { Namespace, ServiceKind, ServiceName, TestService } from './services/test-service.js';
export {
  type ServiceRequest,
  type ServiceSettings,
  TestContainer,
  type TestContainerOptions,
} from './test-container.js';
