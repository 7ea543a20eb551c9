import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { ConfigurationError, RateLimitError, UnsupportedError, ValidationError } from '@safla/sdk/core';
import { MemoryLimiter, PasswordHasher, parse, SecurityIntegration, TokenError } from '@safla/sdk/security';
import { TestContainer } from '@safla/sdk/testing';
import { Redis } from 'ioredis';
import jwt from 'jsonwebtoken';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const secret = 'k3v9x0a8-q7w6e5r4t3y2u1i0p-zxcvbnm';

describe('SecurityIntegration by a secret', () => {
  const security = new SecurityIntegration(secret);

  it('issues and accepts tokens as safla', async () => {
    const token = await security.generateToken({ sub: 'alice', role: 'editor' });
    const { exp, iat, ...claims } = await security.authenticateToken(token);
    expect(claims).toEqual({ sub: 'alice', role: 'editor', iss: 'safla', aud: 'safla', jti: expect.any(String) });
    expect(Number(exp) - Number(iat)).toBeGreaterThanOrEqual(3_600);
  });

  it.each<[string | number, number]>([
    ['90s', 90],
    ['15m', 900],
    ['2 hours', 7_200],
    ['7d', 604_800],
    ['1.5h', 5_400],
    [3600, 3_600],
  ])('takes %o for %i seconds', async (expiresIn, seconds) => {
    const { exp, iat } = await security.authenticateToken(await security.generateToken({}, expiresIn));
    expect(Number(exp) - Number(iat) - seconds).toBeLessThanOrEqual(1);
    expect(Number(exp) - Number(iat)).toBeGreaterThanOrEqual(seconds);
  });

  it.each([
    ['3600'],
    [' 3600 '],
    [''],
    ['1'],
    ['soon'],
    ['-1h'],
    ['0s'],
    [0],
    [-1],
    [1.5],
    [Number.NaN],
    ['9'.repeat(40)],
    ['200y'],
    [null],
  ])('refuses %o as a time', async (expiresIn) => {
    await expect(security.generateToken({}, expiresIn as string)).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('shows how a text of digits is to be written', async () => {
    await expect(security.generateToken({}, '3600')).rejects.toThrow("write '3600s' or the number 3600 for seconds");
  });

  it('says the same for every token it refuses, and why to the host', async () => {
    const messages = new Set<string>();
    for (const token of ['', 'x', jwt.sign({}, secret), jwt.sign({}, 'x'), undefined as never]) {
      const error = await security.authenticateToken(token).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(TokenError);
      messages.add((error as Error).message);
    }
    expect([...messages]).toEqual(['Invalid token']);
  });

  it('accepts tokens of older code when told', async () => {
    const old = jwt.sign({ sub: 'alice' }, secret, { expiresIn: '1h' });
    const legacy = new SecurityIntegration(secret, undefined, { legacy: true });
    expect(await legacy.authenticateToken(old)).toMatchObject({ sub: 'alice', exp: expect.any(Number) });
  });

  it('hashes and checks passwords', async () => {
    const hash = await security.hashPassword('secret');
    expect(hash).toMatch(/^\$2b\$12\$/);
    expect(await security.verifyPassword('secret', hash)).toBe(true);
    expect(await security.verifyPassword('Secret', hash)).toBe(false);
    expect(await security.verifyPassword('secret', null)).toBe(false);
  });

  it('limits each identifier, and refuses one that is none', async () => {
    for (let i = 0; i < 100; i++) await security.checkRateLimit('alice');
    const error = await security.checkRateLimit('alice').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RateLimitError);
    expect((error as RateLimitError).message).toBe('Rate limit exceeded');
    expect((error as RateLimitError).retryAfterMs).toBeGreaterThan(3_000_000);
    await security.checkRateLimit('bob');
    await expect(security.checkRateLimit(undefined as never)).rejects.toBeInstanceOf(ConfigurationError);
  });

  it('validates by a schema', async () => {
    const schema = z.object({ email: z.email() });
    expect(security.validateInput({ email: 'a@b.example' }, schema)).toBe(true);
    expect(security.validateInput({ email: 'a' }, schema)).toBe(false);
    const slow = z.string().refine(async () => true);
    expect(() => security.validateInput('x', slow)).toThrow(UnsupportedError);
    expect(() => security.validateInput('x', slow)).toThrow(/parse/);
    expect(() => security.validateInput('x', {} as never)).toThrow(ConfigurationError);
    expect(await security.parse(slow, 'x')).toBe('x');
    await expect(parse(schema, { email: 'canary' })).rejects.toBeInstanceOf(ValidationError);
    expect(inspect(await parse(schema, { email: 'canary' }).catch((e: unknown) => e))).not.toContain('canary');
  });

  it('cleans HTML', () => {
    expect(security.sanitizeInput('<p onclick="x()">Hi <script>y()</script></p>')).toBe('<p>Hi </p>');
  });

  it.each([[''], ['short'], [undefined], [null], [7], ['a'.repeat(64)]])('refuses %o as a secret', (wrong) => {
    expect(() => new SecurityIntegration(wrong as never)).toThrow(ConfigurationError);
  });

  it('refuses a client that is not of ioredis, and says which one is', () => {
    expect(() => new SecurityIntegration(secret, { sendCommand: () => 1 } as never)).toThrow(/ioredis/);
  });
});

describe('SecurityIntegration with Redis', () => {
  it('shares limits and revocations, and leaves the client open', async () => {
    await using services = await TestContainer.start({ redis: true });
    const client = new Redis(services.redis.url);
    const [one, two] = [new SecurityIntegration(secret, client), new SecurityIntegration(secret, client)];
    const [token, id] = [await one.generateToken({}), randomUUID()];
    await one.tokens.revoke(token);
    await expect(two.authenticateToken(token)).rejects.toMatchObject({ kind: 'revoked' });
    await one.checkRateLimit(id, { cost: 100 });
    await expect(two.checkRateLimit(id)).rejects.toBeInstanceOf(RateLimitError);
    await one.limiter.reset(id);
    await Promise.all([one.close(), two.close(), two.close()]);
    expect(client.status).toBe('ready');
    client.disconnect();
  });
});

describe('SecurityIntegration of parts', () => {
  it('uses what it was given, and names what it was not', async () => {
    const passwords = new PasswordHasher({ cost: 10 });
    const limiter = new MemoryLimiter({ limit: 1, intervalMs: 1_000 });
    const security = new SecurityIntegration({ passwords, limiter });
    expect(security.passwords).toBe(passwords);
    await security.checkRateLimit('a');
    await expect(security.checkRateLimit('a')).rejects.toBeInstanceOf(RateLimitError);
    for (const name of ['tokens', 'access', 'audit'] as const) expect(() => security[name]).toThrow(`no ${name}`);
    expect(() => new SecurityIntegration({ limits: limiter } as never)).toThrow(/did you mean|known/);
  });
});
