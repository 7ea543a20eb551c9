export type { AddressBlock } from '../drivers/http/index.js';
export {
  AddressGuard,
  type AddressGuardOptions,
  type AxiosInstance,
  axiosAdapter,
  type Cancellation,
  type HTTPAgents,
  type HTTPBody,
  type HTTPContent,
  HTTPError,
  type HTTPErrorFacts,
  type HTTPHeaders,
  type HTTPRequest,
  type HTTPResponse,
  type HTTPTransport,
  type HTTPTransportOptions,
  httpTransport,
  type RequestBounds,
  type TransportOptions,
  type UndiciTransportOptions,
  undiciTransport,
} from '../drivers/http/index.js';
export { type RedisScriptClient, SharedLimiter, type SharedLimiterOptions } from '../drivers/redis/index.js';
export type { APICall, APIMiddleware, APIResponse, RequestOptions } from './api-call.js';
export { APIIntegration, type APIStats } from './api-integration.js';
export type { APIIntegrationOptions } from './api-options.js';
export type { Credential } from './auth/auth-header.js';
export type { Auth, CredentialProvider, CredentialRequest } from './auth/credentials.js';
export { OAuth2Error } from './auth/oauth2-error.js';
export type { OAuth2ClientCredentials } from './auth/oauth2-options.js';
export type { HTTPCacheOptions } from './cache/cache-options.js';
export type { HTTPCacheStats } from './cache/http-cache.js';
export { NotCachedError } from './cache/not-cached-error.js';
export { APIOperations } from './openapi/api-operations.js';
export type { SendRequest } from './openapi/compiled-operation.js';
export type {
  APIOperation,
  OperationAnnotations,
  OperationCallOptions,
  OperationInput,
  OperationSchema,
  UnsupportedOperation,
} from './openapi/operation.js';
export type { PacingOptions } from './origin-pacer.js';
export type { APIPageSource } from './pagination/pages.js';
export { Pages } from './pagination/pages.js';
export type { APIPaginateOptions, NextPage, Page } from './pagination/paginate-options.js';
export { type PathValue, path } from './path.js';
export type { Query, QueryValue } from './query.js';
export type { SecurityOptions } from './reach.js';
export { ContentError } from './response-content.js';
export type { APIStreamSource } from './stream/api-stream.js';
export { APIStream } from './stream/api-stream.js';
export type { ServerSentEvent } from './stream/server-sent-events.js';
export type { APIStreamOptions } from './stream/stream-options.js';
export type {
  APIMethodAt,
  LooseAPIPath,
  NoPaths,
  PlainAPIPath,
  TypedAPIOptions,
  TypedAPIResponse,
} from './typed-paths.js';
