/**
 * A login as a server makes it: the password, the tokens, a refresh, a stolen refresh token that ends the whole
 * login, a logout, and a log of it all that shows whether somebody changed it.
 *
 *     npx tsx examples/login-with-refresh.ts
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  AccessPolicy,
  AuditLog,
  KeyRing,
  MemoryAuditSink,
  MemoryLimiter,
  PasswordHasher,
  SecurityIntegration,
  TokenError,
  TokenService,
} from '@safla/sdk/security';
import { z } from 'zod';

const { privateKey } = generateKeyPairSync('ed25519');
const keys = new KeyRing([{ id: '2026-11', algorithm: 'EdDSA', privateKey }]);
const schema = z.object({ sub: z.string(), roles: z.array(z.string()) });
const sink = new MemoryAuditSink();
const security = new SecurityIntegration({
  tokens: new TokenService({ keys, issuer: 'https://login.example', audience: 'shop', schema }),
  passwords: new PasswordHasher({ cost: 10 }),
  limiter: new MemoryLimiter({ limit: 100, intervalMs: 60_000, routes: { login: { limit: 3, intervalMs: 60_000 } } }),
  access: new AccessPolicy({ roles: { clerk: { allow: ['order:*'], deny: ['order:delete'] } } }),
  audit: new AuditLog({ key: randomBytes(32), sink }),
});
const { tokens, passwords, limiter, access, audit } = security;

const users = new Map([['alice', { hash: await passwords.hash('correct horse'), roles: ['clerk'] }]]);

async function login(name: string, password: string) {
  const { allowed, retryAfterMs } = await limiter.consume(name, { route: 'login' });
  if (!allowed) return { status: 429, retryAfterMs } as const;
  const user = users.get(name);
  // The same work and the same answer, whether or not there is such a user.
  const { ok } = await passwords.verify(password, user?.hash ?? null);
  await audit.append({ actor: name, action: 'login', outcome: ok ? 'success' : 'denied', data: { password } });
  if (!user || !ok) return { status: 401 } as const;
  return { status: 200, ...(await tokens.issue({ sub: name, roles: user.roles }, { refresh: true })) } as const;
}

const kindOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof TokenError ? error.kind : String(error)),
  );

assert.equal((await login('alice', 'wrong')).status, 401);
assert.equal((await login('mallory', 'wrong')).status, 401);
const first = await login('alice', 'correct horse');
assert.equal(first.status, 200);
const { payload } = await tokens.verify(first.accessToken ?? '');
access.assert(payload, 'order:read');
assert.equal(access.can(payload, 'order:delete'), false);
console.log('alice is in: she may read orders and not delete them');

const second = await tokens.refresh(first.refreshToken ?? '');
assert.equal(await kindOf(tokens.verify(second.accessToken)), 'accepted');
console.log('refreshed: the old refresh token is used up');

assert.equal(await kindOf(tokens.refresh(first.refreshToken ?? '')), 'reused');
assert.equal(await kindOf(tokens.refresh(second.refreshToken ?? '')), 'revoked');
assert.equal(await kindOf(tokens.verify(second.accessToken)), 'revoked');
console.log('a used refresh token came again: all tokens of this login have ended');

const third = await login('alice', 'correct horse');
assert.equal(third.status, 200);
await tokens.revoke(third.refreshToken ?? '');
assert.equal(await kindOf(tokens.verify(third.accessToken ?? '')), 'revoked');
assert.equal((await login('alice', 'correct horse')).status, 429);
console.log('logged out; a fourth attempt within a minute has to wait');

keys.add({
  id: '2026-12',
  algorithm: 'EdDSA',
  privateKey: generateKeyPairSync('ed25519').privateKey,
  state: 'pending',
});
keys.promote('2026-12');
assert.deepEqual(
  tokens.jwks().keys.map(({ kid }) => kid),
  ['2026-11', '2026-12'],
);
console.log('a new key signs; both are published');

assert.deepEqual((await audit.verify()).ok, true);
assert.ok(!JSON.stringify(sink.records).includes('correct horse'));
const records = sink.records.map((record, index) =>
  index === 1 ? { ...record, event: { ...record.event, actor: 'bob' } } : record,
);
assert.deepEqual(await audit.verify({ records }), { ok: false, reason: 'changed', index: 1, seq: 2 });
console.log('the log is whole, holds no password, and shows where it was changed');
console.log('ok');
