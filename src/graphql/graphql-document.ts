import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
import type { DocumentNode } from 'graphql';

/** Variables of an operation whose types are not known. */
export type GraphQLVariables = Readonly<Record<string, unknown>>;

/**
 * A GraphQL document: a text, a parsed document, or either with types, as `gql` and code generators make
 * them (`TypedDocumentNode`, `TypedDocumentString`).
 */
export type GraphQLDocument<TData = unknown, TVariables = GraphQLVariables> =
  | string
  | DocumentNode
  | DocumentTypeDecoration<TData, TVariables>;

/** What can be done with an operation. */
export type GraphQLOperationKind = 'query' | 'mutation' | 'subscription';

/** The last arguments of a call: variables can be left out when none is required. */
export type GraphQLArguments<TVariables, Options> =
  // biome-ignore lint/complexity/noBannedTypes: exactly the question whether nothing is required
  {} extends TVariables ? [variables?: TVariables, options?: Options] : [variables: TVariables, options?: Options];
