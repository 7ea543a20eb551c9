/**
 * A GraphQL API as a class of your own: typed documents, one retry, partial data, pages and a refreshed
 * token, against a small server on loopback.
 *
 *     npx tsx examples/graphql.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ValidationError } from '@safla/sdk/core';
import { GraphQLIntegration, GraphQLRequestError, gql } from '@safla/sdk/graphql';
import { GraphQLError } from 'graphql';
import { createSchema, createYoga } from 'graphql-yoga';

interface User {
  readonly id: string;
  readonly name: string;
  readonly email: string | null;
}
interface UserInput {
  readonly name: string;
  readonly email?: string;
}
interface Names {
  readonly users: {
    readonly edges: readonly { readonly node: { readonly name: string } }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const fields = gql`fragment Fields on User { id name email }`;
const GetUser = gql<{ user: User | null }, { userId: string }>`
  query GetUser($userId: ID!) { user(id: $userId) { ...Fields } } ${fields}
`;
const CreateUser = gql<{ createUser: User }, { input: UserInput }>`
  mutation CreateUser($input: UserInput!) { createUser(input: $input) { ...Fields } } ${fields}
`;
const ListNames = gql<Names, { first: number }>`
  query ListNames($first: Int!, $after: ID) {
    users(first: $first, after: $after) { edges { node { name } } pageInfo { hasNextPage endCursor } }
  }
`;

/** What the rest of the program sees: no documents, no transport. */
class Users extends GraphQLIntegration {
  async getUserData(userId: string): Promise<User | null> {
    return (await this.query(GetUser, { userId })).user;
  }

  async createUser(input: UserInput): Promise<User> {
    return (await this.mutation(CreateUser, { input })).createUser;
  }
}

const server = await startServer();

// The first token has expired: the function is asked for a new one, and the request is sent once more.
let token = 'expired';
await using users = new Users({
  endpoint: server.endpoint,
  headers: ({ refresh }) => {
    if (refresh) token = 'fresh';
    return { authorization: `Bearer ${token}` };
  },
  policy: { retry: { baseDelayMs: 10 } },
});

const ada = await users.getUserData('u1');
console.log(`user u1 is ${ada?.name}, after ${users.stats().headerRefreshes} refresh of the token`);
assert.equal(ada?.name, 'Ada');
assert.equal((await users.createUser({ name: 'Edsger' })).id, 'u5');

// Queries that are under way are shared: four callers, one request.
const before = server.requests();
await Promise.all(['u2', 'u2', 'u2', 'u2'].map((id) => users.getUserData(id)));
console.log(`4 callers made ${server.requests() - before} request`);
assert.equal(server.requests() - before, 1);

// Pages come when they are needed.
const names: string[] = [];
for await (const { name } of users.paginate(ListNames, { first: 2 }, { connection: (data) => data.users }))
  names.push(name);
console.log(`by pages of two: ${names.join(', ')}`);
assert.deepEqual(names, ['Ada', 'Grace', 'Barbara', 'Alan', 'Edsger']);

// A failed field: the call rejects, or gives what came beside it.
const half = '{ user(id: "u2") { name email } broken }';
const error = await users.query(half).catch((reason: unknown) => reason);
assert.ok(error instanceof GraphQLRequestError);
console.log(`${error.message}`);
assert.deepEqual(error.path, ['broken']);
const { data, errors } = await users.raw<{ user: { name: string } }>(half, {}, { errorPolicy: 'all' });
assert.equal(data?.user.name, 'Grace');
assert.equal(errors?.length, 1);

// What was sent is in no error, although the server repeats it.
const refused = await users.createUser({ name: 'Ada', email: 'not-an-address' }).catch((reason: unknown) => reason);
assert.ok(refused instanceof GraphQLRequestError);
console.log(refused.message);
assert.ok(!refused.message.includes('not-an-address'));

// Mistakes are found before anything is sent.
const typo = await users.query('query { user(id: }').catch((reason: unknown) => reason);
assert.ok(typo instanceof ValidationError);
console.log(typo.message);
server.close();

async function startServer() {
  const all: User[] = ['Ada', 'Grace', 'Barbara', 'Alan'].map((name, index) => ({
    id: `u${index + 1}`,
    name,
    email: null,
  }));
  const schema = createSchema({
    typeDefs: `
      type Query { user(id: ID!): User, users(first: Int!, after: ID): Users!, broken: Int }
      type Mutation { createUser(input: UserInput!): User! }
      type User { id: ID! name: String! email: String }
      input UserInput { name: String!, email: String }
      type Users { edges: [Edge!]! pageInfo: PageInfo! }
      type Edge { node: User! }
      type PageInfo { hasNextPage: Boolean! endCursor: ID }
    `,
    resolvers: {
      Query: {
        user: (_: unknown, { id }: { id: string }) => all.find((user) => user.id === id),
        broken: () => {
          throw new GraphQLError('the counter is broken', { extensions: { code: 'BROKEN' } });
        },
        users: (_: unknown, { first, after }: { first: number; after?: string }) => {
          const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
          const page = all.slice(start, start + first);
          return {
            edges: page.map((node) => ({ node })),
            pageInfo: { hasNextPage: start + first < all.length, endCursor: page.at(-1)?.id },
          };
        },
      },
      Mutation: {
        createUser: (_: unknown, { input }: { input: UserInput }) => {
          if (input.email !== undefined && !input.email.includes('@'))
            throw new GraphQLError(`"${input.email}" is no address`, { extensions: { code: 'BAD_USER_INPUT' } });
          const user = { email: null, ...input, id: `u${all.length + 1}` };
          all.push(user);
          return user;
        },
      },
    },
  });
  const yoga = createYoga({ schema, logging: false });
  let requests = 0;
  const http = createServer((request, response) => {
    requests += 1;
    if (request.headers.authorization === 'Bearer fresh') return yoga(request, response);
    return response.writeHead(401).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  const endpoint = `http://127.0.0.1:${(http.address() as AddressInfo).port}/graphql`;
  return { endpoint, requests: () => requests, close: () => http.close() };
}
