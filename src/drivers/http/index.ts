export { axiosAdapter, type RequestBounds } from './axios-adapter.js';
export { type AxiosInstance, createAxios } from './axios-client.js';
export { exchangeByAxios, type HTTPAnswer, openByAxios } from './axios-exchange.js';
export { flatHeaders } from './flat-headers.js';
export { type AddressBlock, AddressGuard, type AddressGuardOptions, AllowList } from './guard/index.js';
export { checkedHeaders, headerFault, visibleText } from './header-check.js';
export { HTTPError, type HTTPErrorFacts } from './http-error.js';
export { type HTTPAgents, type HTTPTransportOptions, httpTransport } from './http-transport.js';
export { type Quota, readQuota } from './rate-limit-headers.js';
export { readBody } from './response-body.js';
export { parseRetryAfter } from './retry-after.js';
export type {
  Cancellation,
  HTTPBody,
  HTTPContent,
  HTTPHeaders,
  HTTPRequest,
  HTTPResponse,
  HTTPTransport,
} from './transport.js';
export { exchangeByTransport } from './transport-exchange.js';
export { defaultMaxResponseBytes, type TransportOptions } from './transport-options.js';
export { type UndiciTransportOptions, undiciTransport } from './undici-transport.js';
