/** Sign and verify one HS256 token beside jose, jsonwebtoken with the secret as a text, and the bare primitives. */
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';
import { AccessPolicy, sanitizeHTML, TokenService } from '@safla/sdk/security';
import { jwtVerify, SignJWT } from 'jose';
import jwt from 'jsonwebtoken';
import { measure } from './measure.js';

const versionOf = (name: string): string =>
  (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
const secret = randomBytes(32).toString('base64url');
const key = createSecretKey(Buffer.from(secret));
const payload = { sub: 'alice', role: 'editor', tenant: 'acme' };
const service = new TokenService({
  keys: [{ id: 'a', algorithm: 'HS256', secret }],
  issuer: 'shop',
  audience: 'shop',
});

const bytes = new TextEncoder().encode(secret);
const joseVersion = versionOf('jose');

async function byJose(material: typeof key | typeof bytes): Promise<unknown> {
  const token = await new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'a' })
    .setIssuer('shop')
    .setAudience('shop')
    .setIssuedAt()
    .setExpirationTime('15m')
    .setJti('x')
    .sign(material);
  return jwtVerify(token, material, { issuer: 'shop', audience: 'shop', algorithms: ['HS256'] });
}

const results = await measure(
  [
    {
      name: 'TokenService, all checks and revocation',
      run: async () => service.verify((await service.issue(payload)).accessToken),
    },
    {
      name: `jsonwebtoken ${versionOf('jsonwebtoken')}, KeyObject, no checks`,
      run: async () => jwt.verify(jwt.sign(payload, key, { expiresIn: '1h' }), key, { algorithms: ['HS256'] }),
    },
    {
      name: `jsonwebtoken ${versionOf('jsonwebtoken')}, secret as a text (the guide's form)`,
      run: async () => jwt.verify(jwt.sign(payload, secret, { expiresIn: '1h' }), secret),
    },
    { name: `jose ${joseVersion}, KeyObject`, run: () => byJose(key) },
    { name: `jose ${joseVersion}, the secret as bytes, as its documentation shows`, run: () => byJose(bytes) },
    {
      name: 'node:crypto HMAC and JSON alone',
      run: async () => {
        const body = `${encode({ alg: 'HS256' })}.${encode(payload)}`;
        const mac = createHmac('sha256', key).update(body).digest();
        return (
          timingSafeEqual(mac, createHmac('sha256', key).update(body).digest()) &&
          JSON.parse(Buffer.from(body.slice(body.indexOf('.') + 1), 'base64url').toString())
        );
      },
    },
  ],
  { calls: 5_000, rounds: 9 },
);

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const [ours, , text, jose, joseBytes] = results.map(({ cpuMicros }) => cpuMicros);
console.log('one token signed and verified: CPU microseconds | x ours');
for (const { name, cpuMicros } of results)
  console.log(`${cpuMicros.toFixed(1).padStart(8)} | ${(cpuMicros / (ours ?? 1)).toFixed(2).padStart(6)} | ${name}`);
const verdict = (ratio: number, bar: number): string =>
  `${ratio.toFixed(1)}x, bar ${bar}x: ${ratio >= bar ? 'met' : 'MISSED'}`;
console.log(`faster than jose with a KeyObject ${verdict((jose ?? 0) / (ours ?? 1), 8)}`);
console.log(`faster than jose with bytes ${verdict((joseBytes ?? 0) / (ours ?? 1), 8)}`);
console.log(`faster than the secret as a text ${verdict((text ?? 0) / (ours ?? 1), 15)}`);

const policy = new AccessPolicy<{ id: string; roles: string[] }, { owner: string }>({
  roles: {
    customer: { allow: [{ action: 'order:read', when: (user, order) => order?.owner === user.id }] },
    clerk: { inherits: ['customer'], allow: ['order:*'], deny: ['order:delete'] },
  },
});
const user = { id: 'alice', roles: ['customer', 'clerk'] };
const [access] = await measure([{ name: 'can', run: async () => policy.can(user, 'order:read', { owner: 'alice' }) }], {
  calls: 50_000,
  rounds: 5,
});
console.log(`\nAccessPolicy.can: ${access?.cpuMicros.toFixed(2)} CPU microseconds`);

console.log('\nsanitizeHTML of 1 MiB of hostile input: CPU seconds');
let slowest = 0;
for (const piece of [
  '<b>',
  '<script',
  '</b>',
  '<p>x</p>',
  '<b></b>',
  '<a a=1 b=2>',
  '&',
  '<',
  '<!--',
  '<td>',
  '<a href=javascript:>',
]) {
  const text = piece.repeat(Math.floor(1_048_576 / piece.length));
  const before = process.cpuUsage();
  sanitizeHTML(text);
  const { user: used, system } = process.cpuUsage(before);
  slowest = Math.max(slowest, (used + system) / 1e6);
  console.log(`${((used + system) / 1e6).toFixed(2).padStart(8)} | ${piece}`);
}
console.log(`bar: < 1 CPU second: ${slowest < 1 ? 'met' : 'MISSED'}`);
