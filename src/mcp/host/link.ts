import { AccessDeniedError, type Awaitable, type CallOptions, type Health, type Logger } from '../../core/index.js';
import { isHTTP, type ServerConfig } from '../config/mcp-config.js';
import type { MCPHostEvents } from './host-events.js';
import type { MCPAnswers } from './mcp-answers.js';
import type { MCPClient } from './mcp-client.js';
import type { RestartOptions } from './restart-plan.js';

/** What a host is about to run or to connect to, for a person to agree to. */
export interface ConsentRequest {
  readonly server: string;
  /** The exact program and arguments; absent for a server that is reached over HTTP. */
  readonly command?: readonly string[];
  /** Where the program will run, when that is configured. */
  readonly cwd?: string;
  /** The names of the configured environment variables. */
  readonly env?: readonly string[];
  readonly url?: string;
}

/** How a link treats its server. Times are in milliseconds. */
export interface LinkOptions {
  readonly startTimeoutMs: number;
  readonly callTimeoutMs: number;
  readonly consent: ((request: ConsentRequest) => Awaitable<boolean>) | undefined;
  readonly restart: RestartOptions | false;
  readonly healthEveryMs: number | undefined;
  readonly answers: MCPAnswers;
  readonly logger: Logger;
  /** True when somebody listens to the event now. */
  readonly isHeard: (event: keyof MCPHostEvents) => boolean;
  readonly tell: <K extends keyof MCPHostEvents>(event: K, ...args: MCPHostEvents[K]) => void;
}

/** A host's link to one server, which is started or connected to on first use. */
export interface Link {
  readonly name: string;
  readonly config: ServerConfig;
  /** Starts the server unless it runs, also one that was given up. */
  open(): Promise<MCPClient>;
  /**
   * Asks the server something, when it is ready.
   *
   * @throws why it is down; what `ask` throws
   */
  use<T>(ask: (client: MCPClient) => Promise<T>): Promise<T>;
  /** The server's state; asks it for a sign of life when it runs. */
  health(options: CallOptions): Promise<Health>;
  /** Ends it within the time, also one that is just starting. */
  close(withinMs: number): Promise<void>;
}

/** Asks for consent until it is given once: starting the same again needs no second one. */
export class Consent {
  readonly #server: string;
  readonly #config: ServerConfig;
  readonly #consent: LinkOptions['consent'];
  #given = false;

  constructor(server: string, config: ServerConfig, consent: LinkOptions['consent']) {
    this.#server = server;
    this.#config = config;
    this.#consent = consent;
  }

  /** @throws AccessDeniedError when it is refused; what the host's function throws */
  readonly ask = async (): Promise<void> => {
    if (this.#given) return;
    if (this.#consent && !(await this.#consent(this.#request())))
      throw new AccessDeniedError(`MCP server '${this.#server}' was not agreed to`);
    this.#given = true;
  };

  #request(): ConsentRequest {
    const server = this.#server;
    const config = this.#config;
    if (isHTTP(config)) return { server, url: config.url };
    return {
      server,
      command: [config.command, ...(config.args ?? [])],
      env: Object.keys(config.env ?? {}),
      ...(config.cwd === undefined ? {} : { cwd: config.cwd }),
    };
  }
}
