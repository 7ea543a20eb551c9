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
    `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`,
  ])('masks the credential in %s', (text) => {
    expect(redactText(text)).not.toContain(canary);
  });

  it('masks JSON Web Tokens anywhere', () => {
    expect(redactText('got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl back')).toBe('got [redacted] back');
  });

  it('leaves ordinary text and addresses alone', () => {
    const text = 'GET https://api.example.com:8080/orders/1?page=2 answered 404 (user@example.com)';
    expect(redactText(text)).toBe(text);
  });

  it('changes nothing the second time', () => {
    fc.assert(fc.property(fc.string(), (text) => redactText(redactText(text)) === redactText(text)));
  });

  it('stays fast on long hostile text', () => {
    const hostile = `${'a'.repeat(50_000)}://${'token='.repeat(5_000)}`;
    expect(redactText(hostile).length).toBeGreaterThan(0);
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
    expect((redact(new Array(1_000).fill(0)) as unknown[]).length).toBe(200);
  });

  it('describes errors, bytes, maps and functions without their secrets', () => {
    const error = Object.assign(new Error(`Bearer ${canary}`), { config: { headers: { authorization: canary } } });
    const out = JSON.stringify(
      redact({ error, bytes: Buffer.from(canary), map: new Map([['token', canary]]), fn: () => canary }),
    );
    expect(out).not.toContain(canary);
  });

  it('never throws and gives something JSON can hold', () => {
    fc.assert(fc.property(fc.anything(), (value) => JSON.stringify({ value: redact(value) }).length > 0));
  });
});
