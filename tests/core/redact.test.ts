import { redact, redactText } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const canary = 'c4n4ry-c4n4ry';

describe('redactText', () => {
  it.each([
    `postgres://app:${canary}@db:5432/x`,
    `redis://:${canary}@cache`,
    `Authorization: Bearer ${canary}`,
    `Basic ${canary}`,
    `https://h/?api_key=${canary}&x=1`,
    `https://h/?x=1&access_token=${canary}`,
    `{"password":"${canary}"}`,
    `client-secret: ${canary}`,
    `https://${canary}@github.com/x.git`,
    `https://user:p@${canary}@host/`,
    `authorization: token ${canary}`,
    `Cookie: sid=${canary}; theme=dark`,
    `https://h/?sig=${canary}`,
    `https://h/?a=1&key=${canary}`,
    `passphrase=${canary}`,
    `pwd=${canary}`,
    `"password":"two words ${canary}"`,
    `{\\"apiKey\\":\\"${canary}\\"}`,
    `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`,
  ])('masks the credential in %s', (text) => {
    expect(redactText(text)).not.toContain(canary);
  });

  it('masks JSON Web Tokens anywhere', () => {
    expect(redactText('got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl back')).toBe('got [redacted] back');
  });

  it.each([
    'GET https://api.example.com:8080/orders/1?page=2 answered 404 (user@example.com)',
    'https://registry.example.com/@scope/name',
    'APIIntegration.apiKey must be a text that is not empty, got undefined',
    'Basic authentication failed',
    'login: token: Invalid input: expected string, received number; password: Required',
    'the secret: nobody knows',
  ])('leaves ordinary text alone: %s', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('changes nothing the second time', () => {
    fc.assert(fc.property(fc.string(), (text) => redactText(redactText(text)) === redactText(text)));
  });

  it('stays fast on long hostile text', () => {
    const pieces = [
      'a-',
      'a',
      '://',
      'token=',
      'token:',
      'eyJ-',
      'Bearer ',
      '"',
      '\\"',
      'x=',
      'authorization',
      '-----BEGIN PRIVATE KEY-----',
    ];
    const before = process.cpuUsage();
    for (const piece of pieces) expect(redactText(piece.repeat(100_000)).length).toBeGreaterThan(0);
    // A rule that is not linear takes minutes here; all together take some milliseconds.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
  });
});

describe('redact', () => {
  it.each([
    'password',
    'Authorization',
    'x-api-key',
    'apiKey',
    'client_secret',
    'refreshToken',
    'Set-Cookie',
    'privateKey',
    'masterKey',
  ])('masks the value under %s at any depth', (key) => {
    expect(JSON.stringify(redact({ a: [{ [key]: canary }] }))).not.toContain(canary);
  });

  it('keeps what is not a secret', () => {
    const value = { id: 1, name: 'x', tokens: 5, nested: { ok: true, at: new Date(0) }, list: [1, 'two', null] };
    expect(redact(value)).toEqual({ ...value, tokens: 5 });
  });

  it('does not change its input', () => {
    const input = { password: canary };
    redact(input);
    expect(input.password).toBe(canary);
  });

  it('cuts cycles, depth and length', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    expect(redact(cyclic)).toEqual({ self: '[circular]' });
    const long = redact(new Array(1_000).fill(0)) as unknown[];
    expect([long.length, long.at(-1)]).toEqual([201, '[800 more]']);
    expect(redact({ a: { b: { c: { d: { e: { f: { g: { h: {} } } } } } } } })).toEqual({
      a: { b: { c: { d: { e: { f: { g: { h: '[deep]' } } } } } } },
    });
  });

  it('describes errors, bytes, maps and functions without their secrets', () => {
    const error = Object.assign(new Error(`Bearer ${canary}`), { config: { headers: { authorization: canary } } });
    const out = JSON.stringify(
      redact({ error, bytes: Buffer.from(canary), map: new Map([['token', canary]]), fn: () => canary }),
    );
    expect(out).not.toContain(canary);
  });

  it('stays within its bounds on objects that share members', () => {
    let shared: object = {};
    for (let level = 0; level < 7; level++)
      shared = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`k${i}`, shared]));
    expect(JSON.stringify(redact(shared)).length).toBeLessThan(1_000_000);
  });

  it('survives getters that throw and things that cannot be described', () => {
    const hostile = {
      get fine() {
        throw new Error('no');
      },
      id: 1,
    };
    expect(redact(hostile)).toEqual({ fine: '[unreadable]', id: 1 });
    const odd = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no');
      },
    });
    expect(() => JSON.stringify(redact([odd, Object.create(null)]))).not.toThrow();
  });

  it('never throws and gives something JSON can hold', () => {
    fc.assert(fc.property(fc.anything(), (value) => JSON.stringify({ value: redact(value) }).length > 0));
  });
});
