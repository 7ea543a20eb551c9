import { APIIntegration, type Auth } from '@safla/sdk/api';
import { ConfigurationError } from '@safla/sdk/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { json, rejection, serve, type TestServer } from './support/server.js';

let server: TestServer;

beforeAll(async () => {
  server = await serve((seen, response) => json(response, seen.headers));
});

afterAll(() => server[Symbol.asyncDispose]());

async function sentWith(auth: Auth): Promise<Record<string, string>> {
  await using api = new APIIntegration({ baseURL: server.origin, auth });
  return (await api.get('/x')) as Record<string, string>;
}

describe('auth', () => {
  it.each<[string, Auth, object]>([
    ['a text', 'tök'.replace('ö', 'o'), { authorization: 'Bearer tok' }],
    ['a bearer token', { type: 'bearer', token: 'tok' }, { authorization: 'Bearer tok' }],
    [
      'user and password',
      { type: 'basic', username: 'jürgen', password: 'a:b' },
      { authorization: 'Basic asO8cmdlbjphOmI=' },
    ],
    ['an empty password', { type: 'basic', username: 'key', password: '' }, { authorization: 'Basic a2V5Og==' }],
    ['a header', { type: 'header', name: 'X-Api-Key', value: 'tok' }, { 'x-api-key': 'tok' }],
    ['a function', async () => ({ type: 'header', name: 'X-Api-Key', value: 'tok' }) as const, { 'x-api-key': 'tok' }],
  ])('by %s', async (_, auth, headers) => {
    expect(await sentWith(auth)).toMatchObject(headers);
  });

  it('is asked for every request, once for callers at the same time', async () => {
    let asked = 0;
    await using api = new APIIntegration({
      baseURL: server.origin,
      auth: async () => {
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
        return `t${asked}`;
      },
    });
    const all = (await Promise.all(Array.from({ length: 20 }, (_, i) => api.get(`/${i}`)))) as Record<string, string>[];
    expect(asked).toBe(1);
    expect(all.every(({ authorization }) => authorization === 'Bearer t1')).toBe(true);
    expect(await api.get('/again')).toMatchObject({ authorization: 'Bearer t2' });
  });

  it.each([undefined, '', 'a b', 5, {}])(
    'given by a function as %o is refused before anything is sent',
    async (value) => {
      const count = server.seen.length;
      const error = (await rejection(sentWith(() => value as string))) as Error;
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error.message).toContain('APIIntegration.auth()');
      expect(server.seen.length).toBe(count);
    },
  );

  it('that fails rejects with its own error', async () => {
    const failure = new Error('the vault is sealed');
    expect(
      await rejection(
        sentWith(() => {
          throw failure;
        }),
      ),
    ).toBe(failure);
  });

  it('is sent by neither a direct use of the axios instance nor a redirect to another origin', async () => {
    await using other = await serve((_, response) => response.end());
    await using moving = await serve((_, response) => response.writeHead(302, { location: other.origin }).end());
    await using api = new APIIntegration({
      baseURL: moving.origin,
      auth: { type: 'header', name: 'X-Api-Key', value: 'k' },
    });
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 302, headers: { location: other.origin } });
    await (await api.client).get(other.origin);
    expect(other.seen.map((seen) => seen.headers['x-api-key'])).toEqual([undefined]);
  });
});
