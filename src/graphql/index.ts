export { HTTPError, type HTTPErrorFacts } from '../drivers/http/index.js';
export { type GraphQLText, gql } from './gql.js';
export type {
  ErrorPolicy,
  GraphQLAnswer,
  GraphQLCall,
  GraphQLCallOptions,
  GraphQLFormattedError,
  GraphQLMiddleware,
  GraphQLOperation,
  GraphQLRawResult,
  GraphQLRequestOptions,
  GraphQLResult,
} from './graphql-call.js';
export type { GraphQLDocument, OperationKind, Variables, VariablesAndOptions } from './graphql-document.js';
export { type BatchedOperation, GraphQLIntegration, type GraphQLStats } from './graphql-integration.js';
export type { GraphQLIntegrationOptions } from './graphql-options.js';
export {
  type GraphQLErrorEntry,
  GraphQLRequestError,
  type GraphQLRequestErrorFacts,
  type GraphQLResponseBody,
} from './graphql-request-error.js';
export type { GraphQLHeaders, HeadersRequest } from './header-source.js';
export type { Connection, PageInfo, PaginateOptions } from './relay-pages.js';
export type {
  ReconnectOptions,
  SubscriptionBuffer,
  SubscriptionOptions,
  SubscriptionOverflow,
} from './subscription-options.js';
