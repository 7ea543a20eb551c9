import { ConfigurationError, UnsupportedError } from '../../core/index.js';
import { lazy } from '../../core/internal.js';

/** What {@link APIIntegrationMCPServer} needs of an `APIIntegration`. */
export interface APICallTarget {
  get(endpoint: string): Promise<unknown>;
  post(endpoint: string, data?: unknown): Promise<unknown>;
  put(endpoint: string, data?: unknown): Promise<unknown>;
  delete(endpoint: string): Promise<unknown>;
}

/**
 * Forwards calls by method name to a REST API. Without an argument it reads `API_BASE_URL` and
 * `API_KEY` from the environment, the only class of this SDK that does. To offer an API as MCP
 * tools, see {@link apiTools}.
 *
 * @throws ConfigurationError that names the variable that is not set
 * @example const orders = await new APIIntegrationMCPServer(api).handleAPICall('/orders', 'GET');
 */
export class APIIntegrationMCPServer {
  readonly #api: () => Promise<APICallTarget>;

  constructor(api?: APICallTarget) {
    this.#api = api ? async () => api : fromEnvironment();
  }

  /**
   * @param method GET, POST, PUT or DELETE, in any case
   * @throws UnsupportedError for another method; whatever the API throws
   */
  async handleAPICall(endpoint: string, method: string, data?: unknown): Promise<unknown> {
    const call = calls[method.toUpperCase()];
    if (!call) throw new UnsupportedError(`Unsupported method: ${method}`);
    return call(await this.#api(), endpoint, data);
  }
}

type Call = (api: APICallTarget, endpoint: string, data: unknown) => Promise<unknown>;

const calls: Readonly<Record<string, Call | undefined>> = Object.assign(Object.create(null), {
  GET: (api, endpoint) => api.get(endpoint),
  POST: (api, endpoint, data) => api.post(endpoint, data),
  PUT: (api, endpoint, data) => api.put(endpoint, data),
  DELETE: (api, endpoint) => api.delete(endpoint),
} satisfies Record<string, Call>);

function fromEnvironment(): () => Promise<APICallTarget> {
  const baseURL = variable('API_BASE_URL');
  const apiKey = variable('API_KEY');
  return lazy(async () => {
    const { APIIntegration } = await import('../../api/index.js');
    return new APIIntegration(baseURL, apiKey);
  });
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new ConfigurationError(`The environment variable ${name} is not set`, { field: name });
  return value;
}
