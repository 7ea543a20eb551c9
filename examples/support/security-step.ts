import { randomBytes } from 'node:crypto';
import {
  AccessPolicy,
  AuditLog,
  MemoryAuditSink,
  MemoryLimiter,
  PasswordHasher,
  SecurityIntegration,
  TokenError,
  TokenService,
} from '@safla/sdk';
import { z } from 'zod';

const Session = z.object({ sub: z.string(), roles: z.array(z.string()) });

/** What became of a login, in words. */
export interface SecurityFacts {
  /** Why a used refresh token was refused. */
  readonly reuse: string;
  /** Wrong passwords before no more were let through. */
  readonly guesses: number;
  readonly denied: string;
  readonly auditRecords: number;
  readonly cleaned: string;
}

/**
 * A login: password, tokens, a stolen refresh token that ends it, a limit on guesses, rules, a log that cannot be
 * changed unseen, and a comment made harmless. All in this process; a Redis client makes many share it.
 */
export async function securityStep(): Promise<SecurityFacts> {
  const keys = [{ id: 'a', algorithm: 'HS256', secret: randomBytes(32) }] as const;
  const audit = new AuditLog({ key: randomBytes(32), sink: new MemoryAuditSink() });
  await using security = new SecurityIntegration({
    tokens: new TokenService({ keys, issuer: 'tour', audience: 'tour', schema: Session }),
    passwords: new PasswordHasher({ cost: 10 }),
    limiter: new MemoryLimiter({ limit: 3, intervalMs: 60_000 }),
    access: new AccessPolicy({
      roles: { editor: { allow: ['series:read', 'series:write'], deny: ['series:delete'] } },
    }),
    audit,
  });

  const stored = await security.hashPassword('correct horse battery staple');
  let guesses = 0;
  while ((await security.limiter.consume('alice')).allowed) {
    check(!(await security.verifyPassword(`guess ${guesses}`, stored)), 'a wrong password was accepted');
    guesses += 1;
  }
  check(await security.verifyPassword('correct horse battery staple', stored), 'the password was refused');

  const login = await security.tokens.issue({ sub: 'alice', roles: ['editor'] }, { refresh: true });
  const next = await security.tokens.refresh(login.refreshToken ?? '');
  const { payload: alice } = await security.tokens.verify(next.accessToken);
  const reuse = await refusal(security.tokens.refresh(login.refreshToken ?? ''));
  check((await refusal(security.tokens.verify(next.accessToken))) === 'revoked', 'a stolen login lives on');

  security.access.assert(alice, 'series:write');
  const denied = security.access.can(alice, 'series:delete') ? 'nothing' : 'series:delete';
  for (const action of ['login', 'refresh', 'logout']) await security.audit.append({ action, actor: alice.sub });
  const log = await security.audit.verify();
  if (!log.ok) throw new Error(`The audit log is broken at ${log.index}`);
  const cleaned = security.sanitizeInput('<b>Up again</b><img src=x onerror=alert(1)>');
  await audit.close();
  return { reuse, guesses, denied, auditRecords: log.records, cleaned };
}

async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof TokenError) return error.kind;
    throw error;
  }
  throw new Error('A token was accepted that must not be');
}

function check(fact: boolean, otherwise: string): void {
  if (!fact) throw new Error(otherwise);
}
