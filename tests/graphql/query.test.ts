import { ValidationError } from '@safla/sdk/core';
import { GraphQLIntegration, GraphQLRequestError, gql } from '@safla/sdk/graphql';
import { parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejection } from './support/rejection.js';
import { type Shop, startShop } from './support/shop.js';

const GetUser = gql<{ user: { id: string; name: string } | null }, { id: string }>`
  query GetUser($id: ID!) { user(id: $id) { id name } }
`;

let shop: Shop;
let graphql: GraphQLIntegration;

beforeAll(async () => {
  shop = await startShop();
  graphql = new GraphQLIntegration(shop.url, { 'Content-Type': 'application/json', authorization: 'Bearer t' });
});

afterAll(async () => {
  await graphql.close();
  await shop[Symbol.asyncDispose]();
});

const lastBody = (): unknown => JSON.parse(shop.seen.at(-1)?.body ?? 'null');

describe('query', () => {
  it('gives the data of a text, with variables and the name of the operation sent', async () => {
    await expect(graphql.query(GetUser, { id: '7' })).resolves.toEqual({ user: { id: '7', name: 'User 7' } });
    expect(lastBody()).toEqual({ query: GetUser, operationName: 'GetUser', variables: { id: '7' } });
    expect(shop.seen.at(-1)?.headers).toMatchObject({ authorization: 'Bearer t', 'content-type': 'application/json' });
  });

  it('takes parsed documents and texts that are objects', async () => {
    class TypedDocumentString extends String {}
    await expect(graphql.query(parse(GetUser), { id: '1' })).resolves.toEqual({ user: { id: '1', name: 'User 1' } });
    await expect(graphql.query(new TypedDocumentString('{ sum(a: 1, b: 2) }') as string)).resolves.toEqual({ sum: 3 });
  });

  it('puts fragments of gql together', async () => {
    const Names = gql`fragment Names on User { id name }`;
    const Parsed = parse('fragment Title on Post { title }');
    const Search = gql`query { search(text: "a") { __typename ...Names ...Title } } ${Names} ${Parsed}`;
    await expect(graphql.query(Search)).resolves.toEqual({
      search: [
        { __typename: 'User', id: '1', name: 'Ada' },
        { __typename: 'Post', title: 'Post 1' },
      ],
    });
  });

  it('chooses an operation by its name where there are several', async () => {
    const both = 'query A { sum(a: 1, b: 1) } query B { sum(a: 2, b: 2) } mutation C { count }';
    await expect(graphql.query(both, {}, { operationName: 'B' })).resolves.toEqual({ sum: 4 });
    await expect(graphql.query(both)).rejects.toThrow('several operations (A, B, C): say which by operationName');
    await expect(graphql.query(both, {}, { operationName: 'D' })).rejects.toThrow('no operation of the name');
    await expect(graphql.query(both, {}, { operationName: 'C' })).rejects.toThrow(
      /it is a mutation.*call mutation\(\)/,
    );
  });

  it('parses each document once', async () => {
    await using fresh = new GraphQLIntegration(shop.url);
    for (let i = 0; i < 5; i++) await fresh.query(GetUser, { id: String(i) });
    expect(fresh.stats().documents).toBe(1);
  });

  it('gives the output of a schema', async () => {
    const { z } = await import('zod');
    const schema = z.object({ sum: z.number().transform((n) => `${n}`) });
    await expect(graphql.query('{ sum(a: 1, b: 2) }', {}, { schema })).resolves.toEqual({ sum: '3' });
    const wrong = z.object({ sum: z.string() });
    await expect(graphql.query('{ sum(a: 1, b: 2) }', {}, { schema: wrong })).rejects.toBeInstanceOf(ValidationError);
  });
});

describe('kinds of operations', () => {
  it.each([
    ['query', 'mutation { count }', /it is a mutation, not a query: call mutation\(\)/],
    ['query', 'subscription { countdown(from: 1) }', /it is a subscription, not a query: call subscribe\(\)/],
    ['mutation', '{ sum(a: 1, b: 2) }', /it is a query, not a mutation: call query\(\)/],
    ['raw', 'subscription { countdown(from: 1) }', /not a query or mutation: call subscribe\(\)/],
  ] as const)('%s refuses %s and sends nothing', async (method, document, message) => {
    const before = shop.seen.length;
    const error = await rejection(method === 'raw' ? graphql.raw(document) : graphql[method](document));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).toMatch(message);
    expect(shop.seen.length).toBe(before);
  });

  it('mutation gives the data of a mutation', async () => {
    const create = 'mutation Create($input: UserInput!) { createUser(input: $input) { id name } }';
    await expect(graphql.mutation(create, { input: { name: 'Ada' } })).resolves.toEqual({
      createUser: { id: '9', name: 'Ada' },
    });
  });
});

describe('errors of the server', () => {
  it('reject with path, code, locations and status, and the data that came', async () => {
    const error = await rejection(graphql.query('{ profile { bio avatar } }'));
    expect(error).toBeInstanceOf(GraphQLRequestError);
    expect(error).toMatchObject({
      code: 'GRAPHQL_REQUEST',
      retryable: false,
      serverCode: 'NOT_FOUND',
      path: ['profile', 'avatar'],
      locations: [{ line: 1, column: 17 }],
      status: 200,
      data: { profile: { bio: 'born in 1815', avatar: null } },
    });
    expect(error.message).toContain('the picture is gone (at profile.avatar) [NOT_FOUND]');
  });

  it('ignore gives the data that came', async () => {
    await expect(graphql.query('{ profile { bio avatar } }', {}, { errorPolicy: 'ignore' })).resolves.toEqual({
      profile: { bio: 'born in 1815', avatar: null },
    });
  });

  it('all gives data and errors by raw', async () => {
    const result = await graphql.raw('{ profile { bio avatar } }', {}, { errorPolicy: 'all' });
    expect(result).toMatchObject({ data: { profile: { bio: 'born in 1815' } }, status: 200, attempts: 1 });
    expect(result.errors).toEqual([
      expect.objectContaining({
        message: 'the picture is gone',
        extensions: { code: 'NOT_FOUND', hint: 'upload it again' },
      }),
    ]);
    expect(result.headers['content-type']).toMatch(/graphql-response\+json/);
  });

  it.each(['none', 'ignore', 'all'] as const)('an answer without data rejects under %s', async (errorPolicy) => {
    const error = await rejection(graphql.query('{ broken }', {}, { errorPolicy }));
    expect(error).toBeInstanceOf(GraphQLRequestError);
    expect(error).toMatchObject({ serverCode: 'BROKEN' });
  });

  it('raw gives null data under all', async () => {
    await expect(graphql.raw('{ broken }', {}, { errorPolicy: 'all' })).resolves.toMatchObject({ data: null });
  });

  it('a document the server refuses rejects with its places', async () => {
    const error = await rejection(graphql.query('query Q {\n  nope\n}'));
    expect(error).toMatchObject({ locations: [{ line: 2, column: 3 }], data: undefined });
    expect(error.message).toContain('query Q at');
  });
});

describe('what cannot be sent', () => {
  it.each([
    ['{ user(id: }', 'at 1:12: Unexpected "}"'],
    ['query {\n  a {\n}', 'at 3:1: Expected Name, found "}"'],
    ['', 'at 1:1: Unexpected <EOF>'],
    ['fragment F on User { id }', 'has no operation, only fragments'],
  ])('a document that is not GraphQL: %j', async (document, message) => {
    const error = await rejection(graphql.query(document));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).toContain(message);
  });

  it.each([[undefined], [null], [42], [{}]])('a document that is none: %j', async (document) => {
    const error = await rejection(graphql.query(document as unknown as string));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error.message).toContain('must be a text or a parsed document');
  });

  it('variables that JSON cannot carry, with their path', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const [variables, message] of [
      [{ input: { age: 1n } }, 'input.age: is a bigint'],
      [{ cycle }, 'cycle.self: refers to itself'],
      [{ at: new Map() }, 'at: is a Map'],
      [[1], 'must be an object of variables'],
      ['id', 'must be an object of variables'],
    ] as const) {
      const error = await rejection(
        graphql.query('query Q($x: Int) { sum(a: $x, b: 1) }', variables as object as never),
      );
      expect(error).toBeInstanceOf(ValidationError);
      expect(error.message).toContain(message);
    }
  });

  it('headers that could change the request', async () => {
    for (const headers of [{ 'x-a': 'b\r\nx: y' }, { 'a b': 'c' }, { host: 'evil' }]) {
      const error = await rejection(graphql.query('{ users { id } }', {}, { headers }));
      expect(error).toBeInstanceOf(ValidationError);
      expect(error.message).not.toContain('x: y');
    }
  });

  it('gql refuses data', () => {
    expect(() => gql`query { user(id: ${7 as unknown as string}) { id } }`).toThrow(/pass data as variables/);
  });
});

describe('batch', () => {
  it('sends one request and keeps the order', async () => {
    const before = shop.seen.length;
    const results = await graphql.batch([
      { document: GetUser, variables: { id: '1' } },
      { document: '{ sum(a: 1, b: 2) }' },
      { document: 'mutation { createUser(input: { name: "Bo" }) { name } }' },
    ]);
    expect(results.map(({ data }) => data)).toEqual([
      { user: { id: '1', name: 'User 1' } },
      { sum: 3 },
      { createUser: { name: 'Bo' } },
    ]);
    expect(shop.seen.length - before).toBe(1);
    expect(lastBody()).toHaveLength(3);
  });

  it('rejects with the operation that failed, or gives the errors of each', async () => {
    const operations = [{ document: '{ users { id } }' }, { document: 'query Bad { broken }' }];
    const error = await rejection(graphql.batch(operations));
    expect(error.message).toContain('query Bad, number 2 in a batch of 2');
    const results = await graphql.batch(operations, { errorPolicy: 'all' });
    expect(results).toMatchObject([
      { data: { users: [{ id: '1' }] } },
      { data: null, errors: [{ message: 'no such thing' }] },
    ]);
  });

  it('refuses an empty one and a subscription in it', async () => {
    await expect(graphql.batch([])).rejects.toBeInstanceOf(ValidationError);
    await expect(graphql.batch([{ document: 'subscription { flood }' }])).rejects.toThrow(/call subscribe\(\)/);
    await expect(graphql.batch('x' as never)).rejects.toBeInstanceOf(ValidationError);
  });
});
