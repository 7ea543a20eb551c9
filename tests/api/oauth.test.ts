import { inspect } from 'node:util';
import { APIIntegration, type APIIntegrationOptions, OAuth2Error } from '@safla/sdk/api';
import { ConfigurationError } from '@safla/sdk/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { json, rejection, type Seen, serve, type TestServer } from './support/server.js';

/** Tokens that the API takes. */
const valid = new Set<string>();
let issued = 0;
let tokenRequests: Seen[] = [];
let answer: (() => [status: number, data: unknown]) | undefined;
let server: TestServer;

beforeAll(async () => {
  server = await serve((seen, response) => {
    if (seen.url === '/token') {
      tokenRequests.push(seen);
      issued += 1;
      const [status, data] = answer?.() ?? [
        200,
        { access_token: `t${issued}`, token_type: 'bearer', expires_in: 3600 },
      ];
      if (status === 200) valid.add(`Bearer t${issued}`);
      return setTimeout(() => json(response, data, {}, status), 5);
    }
    if (!valid.has(seen.headers.authorization ?? '')) return json(response, {}, {}, 401);
    return json(response, { by: seen.headers.authorization, body: seen.body.toString() });
  });
});

beforeEach(() => {
  valid.clear();
  issued = 0;
  tokenRequests = [];
  answer = undefined;
  server.seen.length = 0;
});

afterAll(() => server[Symbol.asyncDispose]());

const secret = 's€cret&1';
const make = (auth: object = {}, more: Partial<APIIntegrationOptions> = {}): APIIntegration =>
  new APIIntegration({
    baseURL: server.origin,
    auth: { type: 'oauth2', tokenURL: `${server.origin}/token`, clientId: 'me:1', clientSecret: secret, ...auth },
    policy: { retry: { baseDelayMs: 1 } },
    ...more,
  });

describe('OAuth 2.0 client credentials', () => {
  it('fetch one token for all callers and keep it', async () => {
    await using api = make();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.get('/x')));
    await api.get('/y');
    expect(answers.every((one) => (one as { by: string }).by === 'Bearer t1')).toBe(true);
    expect(tokenRequests).toHaveLength(1);
  });

  it('are sent as RFC 6749 says: in the Basic scheme, encoded', async () => {
    await using api = make({ scopes: ['read', 'write'], params: { audience: 'https://api' } });
    await api.get('/x');
    const [asked] = tokenRequests;
    const [id = '', password = ''] = Buffer.from(String(asked?.headers.authorization).slice(6), 'base64')
      .toString()
      .split(':');
    expect([decodeURIComponent(id), decodeURIComponent(password)]).toEqual(['me:1', secret]);
    expect(asked?.method).toBe('POST');
    expect(asked?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    expect(Object.fromEntries(new URLSearchParams(asked?.body.toString()))).toEqual({
      grant_type: 'client_credentials',
      scope: 'read write',
      audience: 'https://api',
    });
  });

  it('are sent in the body when asked to', async () => {
    await using api = make({ clientAuth: 'body' });
    await api.get('/x');
    expect(tokenRequests[0]?.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(new URLSearchParams(tokenRequests[0]?.body.toString()))).toMatchObject({
      client_id: 'me:1',
      client_secret: secret,
    });
  });

  it('renew a token before it expires', async () => {
    answer = () => [200, { access_token: `t${issued}`, token_type: 'Bearer', expires_in: '0' }];
    await using api = make();
    await api.get('/x');
    await api.get('/x');
    expect(tokenRequests).toHaveLength(2);
  });

  it('keep a token that is short-lived for half of its life, whatever the leeway', async () => {
    answer = () => [200, { access_token: `t${issued}`, expires_in: 60 }];
    await using api = make({ leewayMs: 600_000 });
    await api.get('/x');
    await api.get('/x');
    expect(tokenRequests).toHaveLength(1);
  });

  it('renew a revoked token once for all callers, and send each request again', async () => {
    await using api = make();
    await api.get('/x');
    valid.clear();
    server.seen.length = 0;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => api.request('/x', { method: 'POST', body: { n } })),
    );
    expect(tokenRequests).toHaveLength(2);
    expect(new Set(answers.map(({ attempts }) => attempts))).toEqual(new Set([2]));
    expect(answers.map(({ data }) => (data as { body: string }).body)).toEqual(answers.map((_, n) => `{"n":${n}}`));
  });

  it('give up when a new token is refused too', async () => {
    answer = () => {
      valid.clear();
      return [200, { access_token: `t${issued}` }];
    };
    await using api = make({}, { use: [] });
    await api.get('/x');
    answer = () => [200, { access_token: 'other' }];
    valid.clear();
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 401 });
    expect(tokenRequests).toHaveLength(2);
  });

  it('are renewed for streams too', async () => {
    await using api = make();
    await api.get('/x');
    valid.clear();
    const stream = await api.stream('/x');
    expect(stream.status).toBe(200);
    stream.cancel();
  });

  it('are asked for again when the token server is down for a moment', async () => {
    let down = 2;
    answer = () => (down-- > 0 ? [503, {}] : [200, { access_token: `t${issued}` }]);
    await using api = make();
    expect(await api.get('/x')).toMatchObject({ by: 'Bearer t3' });
  });

  it.each([
    [400, { error: 'invalid_scope', error_description: secret }, 'invalid_scope'],
    [401, { error: 'invalid_client' }, 'invalid_client'],
    [400, { error: `no ${secret}` }, undefined],
    [200, { access_token: 5 }, undefined],
    [200, { access_token: 'a b' }, undefined],
    [200, { access_token: 'a', token_type: 'mac' }, undefined],
    [200, 'nothing', undefined],
    [302, {}, undefined],
  ])('reject with OAuth2Error for %i %j', async (status, data, reason) => {
    answer = () => [status, data];
    await using api = make();
    const error = await rejection(api.get('/x'));
    expect(error).toBeInstanceOf(OAuth2Error);
    expect(error).toMatchObject({ code: 'OAUTH2', status, ...(reason && { reason }) });
    const shown = `${inspect(error, { depth: null })}${JSON.stringify(error)}${(error as Error).stack}${inspect(api)}`;
    expect(shown).not.toContain(secret);
    expect(server.seen.every(({ url }) => url === '/token')).toBe(true);
  });

  it('end with the caller, and with close', async () => {
    answer = () => [200, { access_token: `t${issued}` }];
    await using api = make({ tokenURL: 'http://127.0.0.1:1/token' }, { policy: { retry: false } });
    expect(await rejection(api.get('/x'))).toMatchObject({ code: 'CONNECTION' });
    expect(await rejection(api.request('/x', { signal: AbortSignal.abort(new Error('mine')) }))).toMatchObject({
      message: 'mine',
    });
  });

  it.each([
    { tokenURL: 'ftp://x' },
    { clientId: '' },
    { clientSecret: undefined },
    { clientSecret: 'x\n' },
    { scopes: 'read' },
    { params: { grant_type: 'password' } },
    { clientAuth: 'digest' },
    { leeway: 5 },
  ])('refuse %j', (options) => {
    expect(() => make(options)).toThrow(ConfigurationError);
  });
});

describe('a function that gives credentials', () => {
  it('is asked once for all callers after 401', async () => {
    let token = 'old';
    const asked: boolean[] = [];
    valid.add('Bearer new');
    await using api = new APIIntegration({
      baseURL: server.origin,
      auth: async ({ rejected }) => {
        asked.push(rejected);
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (rejected) token = 'new';
        return token;
      },
    });
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.request('/x')));
    expect(answers.every(({ attempts }) => attempts === 2)).toBe(true);
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect((await api.request('/x')).attempts).toBe(1);
  });

  it('that gives the same again changes nothing', async () => {
    await using api = new APIIntegration({ baseURL: server.origin, auth: () => 'old' });
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 401 });
    expect(server.seen).toHaveLength(1);
  });

  it('is not asked for a stream that is gone, nor for a header of the caller', async () => {
    let asked = 0;
    await using api = new APIIntegration({
      baseURL: server.origin,
      auth: ({ rejected }) => {
        asked += Number(rejected);
        return rejected ? 'b' : 'a';
      },
    });
    const body = (async function* () {
      yield Buffer.from('once');
    })();
    expect(await rejection(api.request('/x', { method: 'PUT', body }))).toMatchObject({ status: 401 });
    expect(await rejection(api.request('/x', { headers: { authorization: 'Bearer mine' } }))).toMatchObject({
      status: 401,
    });
    expect(asked).toBe(0);
  });
});
