export { type APIContractOptions, apiContract, type ContractAPI } from './api-contract/api-contract.js';
export {
  type ContractCase,
  type ContractOptions,
  type ContractSuite,
  contractSuite,
  failsWith,
  withRunner,
} from './contract/contract-suite.js';
export type { EventTransportCapability } from './contract/event-case.js';
export { eventTransportContract } from './contract/event-transport-contract.js';
export {
  type KeyProviderCapability,
  type KeyProviderSubject,
  keyProviderContract,
} from './contract/key-provider-contract.js';
export { type OutboxCapability, type OutboxSubject, outboxContract } from './contract/outbox-contract.js';
export { type TestRunner, testRunner } from './contract/test-runner.js';
export {
  type StoredVector,
  type VectorMemoryCapability,
  type VectorMemorySubject,
  vectorMemoryContract,
} from './contract/vector-memory-contract.js';
export type { Direction } from './fault-proxy/conditions.js';
export { FaultProxy, type FaultProxyConnections, type FaultProxyOptions } from './fault-proxy/fault-proxy.js';
export type {
  APISubject,
  APITarget,
  APITestConfig,
  APITestOptions,
  PromisedRate,
} from './framework/api-target.js';
export type { DatabaseSubject, DatabaseTestConfig, DatabaseTestOptions } from './framework/database-suite.js';
export {
  IntegrationTestFramework,
  type IntegrationTestFrameworkOptions,
} from './framework/integration-test-framework.js';
export type { MCPServerTestOptions } from './framework/mcp-server-suite.js';
export type { SuiteRunner } from './framework/suite-runner.js';
export {
  type InMemoryMCPServer,
  type MCPServerTarget,
  type StartMCPServerOptions,
  TestMCPServer,
} from './framework/test-mcp-server.js';
export { LatencyHistogram } from './load/latency-histogram.js';
export type { LatencySummary, LoadResult } from './load/load-result.js';
export type { LoadCall } from './load/load-run.js';
export { type LoadTestOptions, loadTest } from './load/load-test.js';
export { ManualClock } from './manual-clock.js';
export type { JSONSchema } from './schema/json-schema.js';
export { type Counterexample, schemaCounterexamples } from './schema/schema-counterexamples.js';
export { type ExampleOptions, schemaExample } from './schema/schema-example.js';
export { type ServiceAttempt, ServiceUnavailableError } from './service-unavailable-error.js';
export type { Namespace, ServiceKind, ServiceName, TestService } from './services/test-service.js';
export {
  type ServiceRequest,
  type ServiceSettings,
  TestContainer,
  type TestContainerOptions,
} from './test-container.js';
