import { APIIntegration, type APIIntegrationOptions, undiciTransport } from '@safla/sdk/api';
import { ConfigurationError } from '@safla/sdk/core';
import axios from 'axios';
import { describe, expect, it } from 'vitest';

const base = 'https://api.example.com/v1';

describe('the positional form', () => {
  const make = (...args: unknown[]) => Reflect.construct(APIIntegration, args) as APIIntegration;

  it('takes a base URL, a key and a rate', () => {
    expect(new APIIntegration(base, 'key').name).toBe('api.example.com');
    expect(new APIIntegration(base, 'key', 50).stats().policy.limiter).toMatchObject({ granted: 0 });
  });

  it.each([
    ['a key that was not set', [base, undefined], 'apiKey'],
    ['an empty key', [base, ''], 'apiKey'],
    ['a key of white space', [base, '  '], 'apiKey'],
    ['a key with the line break of its file', [base, 'key\n'], 'auth.token'],
    ['an address that was not set', [undefined, 'key'], 'baseURL'],
    ['nothing at all, beginning with the address', [], 'baseURL'],
    ['an empty address', ['', 'key'], 'baseURL'],
    ['an address without scheme', ['api.example.com', 'key'], 'baseURL'],
    ['a rate of NaN', [base, 'key', Number.NaN], 'rateLimitPerHour'],
    ['a negative rate', [base, 'key', -1], 'rateLimitPerHour'],
    ['a rate of 0', [base, 'key', 0], 'rateLimitPerHour'],
  ])('refuses %s and names it', (_, args, field) => {
    expect(() => make(...args)).toThrow(ConfigurationError);
    expect(() => make(...args)).toThrow(new RegExp(field));
  });
});

describe('the options form', () => {
  it('limits and caches nothing by itself', () => {
    const api = new APIIntegration({ baseURL: new URL(base), name: 'shop' });
    expect(api.name).toBe('shop');
    expect(api.stats().cache).toBeUndefined();
    expect(api.stats().policy.limiter).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['a missing base', { baseURL: undefined }, 'baseURL'],
    ['another scheme', { baseURL: 'ftp://example.com' }, 'baseURL'],
    ['credentials in the base', { baseURL: 'https://user:hunter2@example.com' }, 'baseURL'],
    ['a query in the base', { baseURL: 'https://example.com?key=hunter2' }, 'baseURL'],
    ['auth that is undefined', { auth: undefined }, 'auth'],
    ['an empty token', { auth: '' }, 'auth'],
    ['a token with its scheme', { auth: 'Bearer hunter2' }, 'scheme'],
    ['an unknown kind of auth', { auth: { type: 'digest' } }, 'auth.type'],
    ['a user with a colon', { auth: { type: 'basic', username: 'a:b', password: 'hunter2' } }, 'username'],
    ['a password that is missing', { auth: { type: 'basic', username: 'a' } }, 'password'],
    ['a header that cannot be sent', { auth: { type: 'header', name: 'x-key', value: 'hunter2\r\n' } }, 'auth.value'],
    [
      'a header name',
      { auth: { type: 'header', name: 'x key', value: 'hunter2' } },
      'auth\\.name is not a header name',
    ],
    ['a number as auth', { auth: 5 }, 'auth must be a token, a credential object, or a function'],
    ['a cache size of NaN', { cache: { maxBytes: Number.NaN } }, 'cache\\.maxBytes must be a whole number'],
    ['a cache of another kind', { cache: 5 }, 'cache must be true, false or an object'],
    ['a cache that is null', { cache: null }, 'cache must be an options object, got null'],
    ['a transport without methods', { transport: {} }, 'transport\\.send must be a function'],
    ['a transport that cannot be closed', { transport: { send: () => undefined } }, 'transport\\.close'],
    ['a client that is not axios', { client: () => undefined }, 'client\\.request must be a function'],
    ['a logger without levels', { telemetry: { logger: { debug: () => undefined } } }, 'telemetry\\.logger\\.info'],
    ['a fixed header that cannot be sent', { headers: { 'x-a': 'hunter2\n' } }, 'headers'],
    ['a misspelled option', { timeout: 5 }, 'timeout'],
    ['a near miss', { helthPath: '/up' }, "did you mean 'healthPath'"],
    ['a policy with an unknown option', { policy: { retries: 3 } }, 'retries'],
    ['an unknown cache option', { cache: { ttl: 3 } }, 'cache'],
    ['a size of 0', { maxResponseBytes: 0 }, 'maxResponseBytes'],
    ['two ways to the wire', { client: axios.create(), transport: undiciTransport() }, 'transport'],
    ['a layer that is no function', { use: [{}] }, 'use\\[0\\]'],
    ['a health path on another host', { healthPath: '//evil.example/up' }, 'protocol-relative'],
  ])('refuses %s and names it, without its value', (_, options, field) => {
    const make = () => new APIIntegration({ baseURL: base, ...options } as APIIntegrationOptions);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(new RegExp(field));
    expect(make).not.toThrow(/hunter2/);
  });

  it('is fixed: changing the object afterwards changes nothing', async () => {
    const options = { baseURL: base, name: 'before', headers: { 'x-a': '1' } };
    const api = new APIIntegration(options);
    options.name = 'after';
    expect(api.name).toBe('before');
  });
});
