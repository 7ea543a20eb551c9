export { HTTPError, type HTTPErrorFacts } from '../drivers/http/index.js';
export { type GraphQLText, gql } from './gql.js';
export type {
  GraphQLAnswer,
  GraphQLCall,
  GraphQLCallOptions,
  GraphQLErrorPolicy,
  GraphQLFormattedError,
  GraphQLMiddleware,
  GraphQLOperation,
  GraphQLRawResult,
  GraphQLRequestOptions,
  GraphQLResult,
} from './graphql-call.js';
export type { GraphQLArguments, GraphQLDocument, GraphQLOperationKind, GraphQLVariables } from './graphql-document.js';
export {
  type GraphQLBatchedOperation,
  GraphQLIntegration,
  type GraphQLSchemaOptions,
  type GraphQLStats,
} from './graphql-integration.js';
export type { GraphQLIntegrationOptions } from './graphql-options.js';
export {
  type GraphQLErrorEntry,
  GraphQLRequestError,
  type GraphQLRequestErrorFacts,
  type GraphQLResponseBody,
} from './graphql-request-error.js';
export type { GraphQLHeaders, GraphQLHeadersRequest } from './header-source.js';
export type { PlainGraphQLClient } from './plain-client.js';
export type { GraphQLPaginateOptions, RelayConnection, RelayPageInfo } from './relay-pages.js';
export type {
  SubscriptionBuffer,
  SubscriptionOptions,
  SubscriptionOverflow,
  SubscriptionReconnectOptions,
} from './subscription-options.js';
export type { SubscribeOptions, SubscriptionStats } from './subscriptions.js';
