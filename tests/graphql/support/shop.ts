import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import type { Context } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer } from 'ws';

const typeDefs = /* GraphQL */ `
  type Query {
    user(id: ID!): User
    users: [User!]!
    search(text: String!): [Hit!]!
    profile: Profile
    broken: String!
    sum(a: Int!, b: Int!): Int!
    slow(ms: Int!): String!
    whoAmI: String
    posts(first: Int, after: String, last: Int, before: String): PostConnection!
    stuck(after: String): PostConnection!
    big(characters: Int!): String!
  }
  type Mutation {
    createUser(input: UserInput!): User!
    count: Int!
  }
  type Subscription {
    countdown(from: Int!): Int!
    ticks(everyMs: Int!): Int!
    flood: String!
    faulty: Int
    rejected: Int!
  }
  type User {
    id: ID!
    name: String!
    email: String
    secret: String
  }
  type Profile {
    bio: String
    avatar: String
  }
  input UserInput {
    name: String!
    age: Int
  }
  union Hit = User | Post
  type Post {
    id: ID!
    title: String!
  }
  type PostEdge {
    cursor: String!
    node: Post
  }
  type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
  type PostConnection {
    edges: [PostEdge]
    pageInfo: PageInfo!
  }
`;

const posts = Array.from({ length: 7 }, (_, index) => ({ id: `p${index + 1}`, title: `Post ${index + 1}` }));

interface PageArguments {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
}

function page({ first, after, last, before }: PageArguments): unknown {
  const start = after === undefined ? 0 : posts.findIndex(({ id }) => id === after) + 1;
  const end = before === undefined ? posts.length : posts.findIndex(({ id }) => id === before);
  const all = posts.slice(start, end);
  const chosen = last === undefined ? all.slice(0, first) : all.slice(-last);
  const [head] = chosen;
  const tail = chosen.at(-1);
  return {
    edges: chosen.map((node) => ({ cursor: node.id, node })),
    pageInfo: {
      hasNextPage: tail !== undefined && tail !== posts.at(-1),
      hasPreviousPage: head !== undefined && head !== posts[0],
      startCursor: head?.id ?? null,
      endCursor: tail?.id ?? null,
    },
  };
}

/** A request as the server saw it. */
export interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real GraphQL server: graphql-yoga over HTTP, graphql-ws over WebSocket, on a free port. */
export interface Shop extends AsyncDisposable {
  readonly url: string;
  readonly wsUrl: string;
  readonly seen: Seen[];
  /** What came as payload of `connection_init`, a connection each. */
  readonly connectionParams: unknown[];
  /** Headers of the upgrade, a connection each. */
  readonly upgrades: IncomingHttpHeaders[];
  /** Subscriptions that run on the server now. */
  readonly running: () => number;
  /** Stops listening and drops every connection. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

export interface ShopOptions {
  /** Tells whether an authorization is good; others get 401, and 4401 over WebSocket. */
  readonly admits?: (authorization: string | undefined) => boolean;
}

export async function startShop({ admits }: ShopOptions = {}): Promise<Shop> {
  const seen: Seen[] = [];
  const connectionParams: unknown[] = [];
  const upgrades: IncomingHttpHeaders[] = [];
  let mutations = 0;
  let running = 0;

  /** Counts from the first event to the unsubscription, also while the source sleeps. */
  function counted<T>(name: string, source: () => AsyncGenerator<T>): AsyncIterableIterator<Record<string, T>> {
    const events = source();
    let state: 'new' | 'running' | 'over' = 'new';
    const end = (): void => {
      if (state === 'running') running -= 1;
      state = 'over';
    };
    return {
      async next() {
        if (state === 'new') running += 1;
        if (state === 'over') return { done: true, value: undefined };
        state = 'running';
        const { done, value } = await events.next();
        if (done) end();
        return done ? { done, value: undefined } : { done: false, value: { [name]: value } };
      },
      async return() {
        end();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  const schema = createSchema({
    typeDefs,
    resolvers: {
      Query: {
        user: (_: unknown, { id }: { id: string }) => (id === '404' ? null : { id, name: `User ${id}`, email: null }),
        users: () => [{ id: '1', name: 'Ada' }],
        search: () => [
          { __typename: 'User', id: '1', name: 'Ada' },
          { __typename: 'Post', id: 'p1', title: 'Post 1' },
        ],
        profile: () => ({
          bio: 'born in 1815',
          avatar: () => {
            throw new GraphQLError('the picture is gone', {
              extensions: { code: 'NOT_FOUND', hint: 'upload it again' },
            });
          },
        }),
        broken: () => {
          throw new GraphQLError('no such thing', { extensions: { code: 'BROKEN' } });
        },
        sum: (_: unknown, { a, b }: { a: number; b: number }) => a + b,
        slow: async (_: unknown, { ms }: { ms: number }) => {
          await sleep(ms);
          return 'done';
        },
        whoAmI: (_: unknown, __: unknown, { request }: { request: Request }) => request.headers.get('authorization'),
        posts: (_: unknown, given: PageArguments) => page(given),
        stuck: () => page({ first: 2 }),
        big: (_: unknown, { characters }: { characters: number }) => 'x'.repeat(characters),
      },
      Mutation: {
        createUser: (_: unknown, { input }: { input: { name: string } }) => {
          if (input.name.startsWith('taken')) {
            throw new GraphQLError(`The name "${input.name}" is taken`, { extensions: { code: 'CONFLICT' } });
          }
          return { id: '9', name: input.name };
        },
        count: () => ++mutations,
      },
      Subscription: {
        countdown: {
          subscribe: (_: unknown, { from }: { from: number }) =>
            counted('countdown', async function* () {
              for (let value = from; value >= 0; value--) yield value;
            }),
        },
        ticks: {
          subscribe: (_: unknown, { everyMs }: { everyMs: number }) =>
            counted('ticks', async function* () {
              for (let value = 0; ; value++) {
                yield value;
                await sleep(everyMs);
              }
            }),
        },
        flood: {
          subscribe: () =>
            counted('flood', async function* () {
              for (;;) {
                yield 'x'.repeat(1_000);
                await sleep(0);
              }
            }),
        },
        faulty: {
          subscribe: () =>
            counted('faulty', async function* () {
              yield 1;
              yield 'not a number';
              yield 3;
            }),
        },
        rejected: {
          subscribe: () => {
            throw new GraphQLError('you may not listen', { extensions: { code: 'FORBIDDEN' } });
          },
        },
      },
    },
  });

  const yoga = createYoga({ schema, batching: { limit: 10 }, maskedErrors: false, logging: false, landingPage: false });
  const handle = async (request: IncomingMessage & { rawBody?: string }): Promise<string> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  };

  const sockets = new Set<Socket>();
  const open = (port: number): ReturnType<typeof createServer> => {
    const server = createServer(async (request, response) => {
      const body = await handle(request).catch(() => '');
      seen.push({ headers: request.headers, body });
      if (admits && !admits(request.headers.authorization)) {
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify({ errors: [{ message: 'who are you?', extensions: { code: 'UNAUTHENTICATED' } }] }),
        );
        return;
      }
      const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]);
      const answer = await yoga.fetch(`http://shop${request.url}`, { method: request.method ?? 'POST', headers, body });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(await answer.text());
    });
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    const wss = new WebSocketServer({ server, path: '/graphql' });
    wss.on('error', () => undefined);
    useServer(
      {
        schema,
        onConnect: ({ connectionParams: given }: Context) => {
          connectionParams.push(given);
          return !admits || admits(given?.authorization as string | undefined);
        },
      },
      wss,
    );
    wss.on('connection', (_socket, request) => upgrades.push(request.headers));
    server.listen(port, '127.0.0.1');
    return server;
  };

  let server = open(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    wsUrl: `ws://127.0.0.1:${port}/graphql`,
    seen,
    connectionParams,
    upgrades,
    running: () => running,
    stop,
    async start() {
      server = open(port);
      await once(server, 'listening');
    },
    [Symbol.asyncDispose]: stop,
  };
}
