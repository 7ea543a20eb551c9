/**
 * Fields of a record, sealed so that a database can hold them: types kept, each bound to its record and
 * place, found again by a blind index, and moved to a new key while everything runs.
 *
 *     npx tsx examples/encrypt-fields.ts
 */
import assert from 'node:assert/strict';
import { DecryptError, Encryptor, LocalKeyring } from '@safla/sdk/encryption';

const keys = new LocalKeyring({ keys: [{ id: '2026-01', key: LocalKeyring.generateKey() }] });
await using encryptor = new Encryptor({ keys, context: 'crm' });

const user = { id: 42, name: 'Ada', email: 'ada@example.com', born: new Date('1815-12-10'), card: { number: '4111' } };
const sealed = ['email', 'born', 'card.number'] as const;
const context = `user:${user.id}`;
const emailIndex = (email: string): string[] => encryptor.blindIndexes(email.toLowerCase(), { index: 'users.email' });

const row = { ...(await encryptor.sealFields(user, sealed, { context })), emailIndex: emailIndex(user.email)[0] };
console.log('stored:', JSON.stringify(row, undefined, 2));
assert.ok(!JSON.stringify(row).includes('example.com'));

// Found by its index, opened with its types.
const table = [row];
const [found] = table.filter((one) => emailIndex('ADA@example.com').includes(one.emailIndex ?? ''));
const back = await encryptor.openFields<typeof user>(found ?? {}, sealed, { context });
assert.deepEqual([back.email, back.born, back.card.number], [user.email, user.born, user.card.number]);

// A sealed field that was copied into another record does not open.
await assert.rejects(encryptor.openFields(row, sealed, { context: 'user:43' }), DecryptError);

// A new key: every process learns it, then it seals, then old rows follow, then the old key goes.
keys.add({ id: '2026-02', key: LocalKeyring.generateKey() });
keys.promote('2026-02');
assert.equal(encryptor.needsRotation(row.email), true);
const fresh = await encryptor.rotateFields(row, sealed, { context });
assert.equal(encryptor.needsRotation(fresh.email), false);
keys.retire('2026-01');
assert.equal((await encryptor.openFields<typeof user>(fresh, sealed, { context })).email, user.email);
console.log('rotated to', encryptor.inspect(fresh.email).keyId);
