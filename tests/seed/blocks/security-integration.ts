import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { SecurityIntegration } from '@safla/sdk/security';
import { Redis } from 'ioredis';
import { z } from 'zod';

/** The guide declares this class and shows no use of it: here each method is called with the arguments it declares. */
export async function exerciseSecurity(redisURL: string): Promise<void> {
  const jwtSecret: string = `${randomUUID()}${randomUUID()}`;
  const redisClient: any = new Redis(redisURL);
  const security = new SecurityIntegration(jwtSecret, redisClient);

  const payload: any = { userId: 7, role: 'admin' };
  const token: string = await security.generateToken(payload);
  const decoded: any = await security.authenticateToken(token);
  assert.equal(decoded.userId, 7);
  assert.ok(decoded.exp - decoded.iat >= 3600);
  assert.equal(typeof (await security.generateToken(payload, '15m')), 'string');
  try {
    await security.authenticateToken(`${token}x`);
    assert.fail('a changed token was accepted');
  } catch (error) {
    assert.equal(error.message, 'Invalid token');
  }

  const hash: string = await security.hashPassword('correct horse');
  const matches: boolean = await security.verifyPassword('correct horse', hash);
  assert.ok(matches && hash.startsWith('$2b$12$'));

  const identifier = randomUUID();
  for (let request = 0; request < 100; request++) await security.checkRateLimit(identifier);
  try {
    await security.checkRateLimit(identifier);
    assert.fail('a hundred and one calls were let through');
  } catch (error) {
    assert.equal(error.message, 'Rate limit exceeded');
  }
  await security.limiter.reset(identifier);

  const schema: any = z.object({ name: z.string() });
  const valid: boolean = security.validateInput({ name: 'x' }, schema);
  assert.ok(valid && !security.validateInput({}, schema));
  assert.equal(security.sanitizeInput('a<script>alert(1)</script>b'), 'ab');

  await security.close();
  redisClient.disconnect();
}
