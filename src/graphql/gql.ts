import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
import type { DocumentNode } from 'graphql';
import { ValidationError } from '../core/index.js';
import type { GraphQLVariables } from './graphql-document.js';

/** A document as text that knows its result and variables. */
export type GraphQLText<TData = unknown, TVariables = GraphQLVariables> = string &
  DocumentTypeDecoration<TData, TVariables>;

/**
 * Marks a text as GraphQL, for editors, and gives it types. Fragments can be put in, as texts or documents;
 * data cannot: pass it as variables.
 *
 * @throws ValidationError for anything else put in
 * @example const GetUser = gql<{ user: User }, { id: string }>`query GetUser($id: ID!) { user(id: $id) { id name } }`;
 */
export function gql<TData = unknown, TVariables = GraphQLVariables>(
  strings: TemplateStringsArray,
  ...fragments: readonly (string | DocumentNode)[]
): GraphQLText<TData, TVariables> {
  const [first = '', ...rest] = strings;
  const text = rest.reduce((sum, part, index) => sum + textOf(fragments[index], index) + part, first);
  return text as GraphQLText<TData, TVariables>;
}

function textOf(fragment: unknown, index: number): string {
  if (typeof fragment === 'string') return fragment;
  const body = (fragment as DocumentNode | undefined)?.loc?.source.body;
  if (body !== undefined) return body;
  throw new ValidationError('gql', [
    {
      path: [index],
      message: 'must be a fragment, as a text or a parsed document with its source; pass data as variables',
    },
  ]);
}
