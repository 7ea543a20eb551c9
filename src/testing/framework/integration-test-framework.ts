import { checkOptions, is } from '../../core/internal.js';
import { TestContainer, type TestContainerOptions } from '../test-container.js';
import { apiSuite } from './api-suite.js';
import type { APITestOptions } from './api-target.js';
import { type DatabaseTestOptions, databaseSuite } from './database-suite.js';
import { type MCPServerTestOptions, mcpServerSuite } from './mcp-server-suite.js';
import { meansMongo } from './open-integrations.js';
import { type Suite, type SuiteRunner, suiteOf } from './suite-runner.js';
import type { MCPServerTarget } from './test-mcp-server.js';

/** Settings of an {@link IntegrationTestFramework}. */
export interface IntegrationTestFrameworkOptions {
  /** @default the global describe, it, beforeAll and afterAll (or before and after) */
  readonly runner?: SuiteRunner;
  /** Services that `setup` starts; what a test needs beside them is started with that test. @default none */
  readonly services?: TestContainerOptions;
}

/**
 * Ready-made tests for MCP servers, APIs and databases: one line each in a test file. They call what they
 * test for real and check what came of it. Assertions are Node's own, so any runner shows them.
 *
 * @example
 * const framework = new IntegrationTestFramework();
 * beforeAll(() => framework.setup());
 * afterAll(() => framework.teardown());
 * framework.createMCPServerTest('Orders', './dist/server.js');
 */
export class IntegrationTestFramework implements AsyncDisposable {
  /** Where services, servers and integrations come from. */
  readonly container: TestContainer;
  readonly #runner: SuiteRunner | undefined;

  /** @throws ConfigurationError */
  constructor(options: IntegrationTestFrameworkOptions = {}) {
    checkOptions('IntegrationTestFramework', options, { runner: is.object, services: is.object });
    this.#runner = options.runner;
    this.container = new TestContainer(options.services);
  }

  /** Starts the services. When one cannot be had, none is left. @throws ServiceUnavailableError */
  async setup(): Promise<void> {
    await this.container.start();
  }

  /** Ends everything that was started, also after a setup that failed. */
  async teardown(): Promise<void> {
    await this.container.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.teardown();
  }

  /**
   * Registers tests for an MCP server: it lists tools, takes arguments made from each input schema and
   * refuses wrong ones, and each resource that it lists can be read.
   *
   * @throws ConfigurationError without a runner
   */
  createMCPServerTest(serverName: string, server: MCPServerTarget, options: MCPServerTestOptions = {}): void {
    const { arguments: _, tools: __, ...start } = options;
    mcpServerSuite(
      this.#suite,
      serverName,
      options,
      () => this.container.startMCPServer(server, start),
      (started) => this.container.stopMCPServer(started),
    );
  }

  /**
   * Registers tests for an API integration: it authenticates and a wrong key does not, GET and POST arrive
   * once and are answered, and a rate limit is kept. Without a `baseURL` a local server answers; with one,
   * requests pass through a server that counts them.
   *
   * @throws ConfigurationError without a runner
   */
  createAPIIntegrationTest(apiName: string, apiConfig: APITestOptions = {}): void {
    apiSuite(this.#suite, apiName, apiConfig, (config) => this.container.createAPIIntegration(config));
  }

  /**
   * Registers tests for a database: it connects, creates, reads, updates and deletes, tells what is not
   * there, migrates again without a change, and cleans up what it made and nothing else.
   *
   * @throws ConfigurationError without a runner
   */
  createDatabaseIntegrationTest(dbName: string, dbConfig: DatabaseTestOptions = {}): void {
    const { create, ...config } = dbConfig;
    databaseSuite(this.#suite, dbName, {
      open: async () => (create ? await create() : await this.container.createDatabaseIntegration(config)),
      makesTables: meansMongo(config),
    });
  }

  get #suite(): Suite {
    return suiteOf(this.#runner);
  }
}
