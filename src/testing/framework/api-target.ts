import type { APIIntegration } from '../../api/index.js';
import type { Awaitable } from '../../core/index.js';

/** A rate as `policy.limiter` and the like promise it. */
export interface PromisedRate {
  /** The largest burst, and how many follow in each `perMs`. */
  readonly requests: number;
  readonly perMs: number;
}

/** Where an integration under test has to connect to. */
export interface APITarget {
  readonly baseURL: string;
  readonly apiKey: string;
  /** The rate it must keep; undefined when the test is not about rates. */
  readonly rateLimit: PromisedRate | undefined;
}

/** What the API tests call. `APIIntegration` has it, and a class of your own over one. */
export interface APISubject {
  authenticate(): Promise<{ readonly success: boolean }>;
  get(path: string, params?: Readonly<Record<string, string>>): Promise<unknown>;
  post(path: string, data: unknown): Promise<unknown>;
  close?(): Promise<void>;
}

/** An API integration for tests. */
export interface APITestConfig {
  /** The API. @default a local server that answers every path and wants the key */
  readonly baseURL?: string | URL;
  /** Sent as a bearer key. @default one of the local server */
  readonly apiKey?: string;
  /** @default no limit */
  readonly rateLimitPerHour?: number;
  /** Any rate; wins over `rateLimitPerHour`. @default no limit */
  readonly rateLimit?: PromisedRate;
  /** What `authenticate()` asks. @default the base itself */
  readonly authPath?: string;
}

/** An API integration, and how it is tested. */
export interface APITestOptions extends APITestConfig {
  /** The path that the tests GET and POST. @default '/test' */
  readonly path?: string;
  /** Makes the integration that is tested: one of your own. @default an APIIntegration */
  readonly create?: (target: APITarget) => Awaitable<APISubject>;
}

/** What a container makes of an {@link APITestConfig}. */
export type MakeAPI = (config: APITestConfig) => Promise<APIIntegration>;
