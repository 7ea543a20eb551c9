import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type GraphQLFormattedError, GraphQLIntegration, gql } from '@safla/sdk/graphql';
import type { DocumentNode } from 'graphql';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';

interface User {
  readonly user: { readonly id: string } | null;
}
declare const node: DocumentNode;
declare const required: TypedDocumentNode<User, { id: string }>;
declare const optional: TypedDocumentNode<User, { id?: string }>;
declare const exact: TypedDocumentNode<User, { [key: string]: never }>;

const graphql = new GraphQLIntegration('https://h/graphql', { authorization: 'x' });

expectTypeOf(graphql.query(required, { id: '1' })).resolves.toEqualTypeOf<User>();
expectTypeOf(graphql.query(optional)).resolves.toEqualTypeOf<User>();
expectTypeOf(graphql.query(exact)).resolves.toEqualTypeOf<User>();
expectTypeOf(graphql.query(exact, {})).resolves.toEqualTypeOf<User>();
// @ts-expect-error a required variable is missing
graphql.query(required);
// @ts-expect-error a required variable is missing
graphql.query(required, {});
// @ts-expect-error of another type
graphql.query(required, { id: 1 });
// @ts-expect-error an option that does not exist
graphql.query(required, { id: '1' }, { timeout: 1 });
// @ts-expect-error a required variable is missing
graphql.mutation(required);

expectTypeOf(graphql.query('{ a }')).resolves.toEqualTypeOf<unknown>();
expectTypeOf(graphql.query(node, { any: 1 })).resolves.toEqualTypeOf<unknown>();
expectTypeOf(graphql.query<User>('{ a }', { any: 1 })).resolves.toEqualTypeOf<User>();
expectTypeOf(gql`{ a }`).toExtend<string>();
expectTypeOf(graphql.query(gql`{ a }`)).resolves.toEqualTypeOf<unknown>();
const typed = gql<User, { id: string }>`query ($id: ID!) { user(id: $id) { id } }`;
expectTypeOf(graphql.query(typed, { id: '1' })).resolves.toEqualTypeOf<User>();
// @ts-expect-error a required variable is missing
graphql.query(typed);

/** What code generators make of `documentMode: 'string'`. */
declare class TypedDocumentString<TResult, TVariables> extends String {
  __apiType?: (variables: TVariables) => TResult;
}
declare const boxed: TypedDocumentString<User, { id: string }>;
expectTypeOf(graphql.query(boxed, { id: '1' })).resolves.toEqualTypeOf<User>();

const schema = z.object({ user: z.object({ id: z.coerce.number() }) });
expectTypeOf(graphql.query('{ a }', {}, { schema })).resolves.toEqualTypeOf<{ user: { id: number } }>();

expectTypeOf(graphql.raw(required, { id: '1' }))
  .resolves.toHaveProperty('data')
  .toEqualTypeOf<User | null>();
expectTypeOf(graphql.raw(exact))
  .resolves.toHaveProperty('errors')
  .toEqualTypeOf<readonly GraphQLFormattedError[] | undefined>();

declare const pages: TypedDocumentNode<
  { posts: { edges: { node: { id: string } | null }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } },
  { first: number; after?: string }
>;
expectTypeOf(graphql.paginate(pages, { first: 1 }, { connection: (data) => data.posts })).toExtend<
  AsyncIterable<{ id: string }>
>();
// @ts-expect-error a required variable is missing
graphql.paginate(pages, {}, { connection: (data) => data.posts });

expectTypeOf(graphql.subscribe(required, { id: '1' })).toExtend<AsyncIterable<User>>();
// @ts-expect-error a required variable is missing
graphql.subscribe(required);

new GraphQLIntegration({ endpoint: 'https://h', headers: async ({ refresh }) => ({ authorization: String(refresh) }) });
// @ts-expect-error an option that does not exist
new GraphQLIntegration({ endpoint: 'https://h', heders: {} });
// @ts-expect-error no endpoint
new GraphQLIntegration({});
