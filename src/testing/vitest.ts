/**
 * `@safla/sdk/testing` with its suites bound to vitest, so that they need no `runner`.
 *
 * @module
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { EventTransport } from '../events/index.js';
import {
  type APIContractOptions,
  type ContractAPI,
  apiContract as neutralAPIContract,
} from './api-contract/api-contract.js';
import {
  type ContractCase,
  type ContractSuite,
  contractSuite as neutralSuite,
  withRunner,
} from './contract/contract-suite.js';
import type { EventTransportCapability } from './contract/event-case.js';
import { eventTransportContract as eventTransport } from './contract/event-transport-contract.js';
import {
  type KeyProviderCapability,
  type KeyProviderSubject,
  keyProviderContract as keyProvider,
} from './contract/key-provider-contract.js';
import { type OutboxCapability, type OutboxSubject, outboxContract as outbox } from './contract/outbox-contract.js';
import type { TestRunner } from './contract/test-runner.js';
import {
  type VectorMemoryCapability,
  type VectorMemorySubject,
  vectorMemoryContract as vectorMemory,
} from './contract/vector-memory-contract.js';
import {
  IntegrationTestFramework as Framework,
  type IntegrationTestFrameworkOptions,
} from './framework/integration-test-framework.js';
import type { SuiteRunner } from './framework/suite-runner.js';

export * from './index.js';

const suiteRunner: SuiteRunner = { describe, it, beforeAll, afterAll };

/** {@link Framework} with vitest's functions. */
export class IntegrationTestFramework extends Framework {
  constructor(options: IntegrationTestFrameworkOptions = {}) {
    super({ runner: suiteRunner, ...options });
  }
}

const runner: TestRunner = { describe, it };

/** {@link neutralSuite} whose suites register with vitest. */
export function contractSuite<Subject, Capability extends string = never>(
  contract: string,
  cases: readonly ContractCase<Subject, Capability>[],
): ContractSuite<Subject, Capability> {
  return withRunner(neutralSuite(contract, cases), runner);
}

/** {@link vectorMemory} with vitest's `describe` and `it`. */
export const vectorMemoryContract: ContractSuite<VectorMemorySubject, VectorMemoryCapability> = withRunner(
  vectorMemory,
  runner,
);

/** {@link eventTransport} with vitest's `describe` and `it`. */
export const eventTransportContract: ContractSuite<EventTransport, EventTransportCapability> = withRunner(
  eventTransport,
  runner,
);

/** {@link keyProvider} with vitest's `describe` and `it`. */
export const keyProviderContract: ContractSuite<KeyProviderSubject, KeyProviderCapability> = withRunner(
  keyProvider,
  runner,
);

/** {@link outbox} with vitest's `describe` and `it`. */
export const outboxContract: ContractSuite<OutboxSubject, OutboxCapability> = withRunner(outbox, runner);

/** {@link neutralAPIContract} with vitest's `describe` and `it`. */
export function apiContract(api: ContractAPI, document: unknown, options: APIContractOptions = {}): void {
  neutralAPIContract(api, document, { runner, ...options });
}
