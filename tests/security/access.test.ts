import { AccessDeniedError, ConfigurationError } from '@safla/sdk/core';
import { AccessPolicy } from '@safla/sdk/security';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import '../support/properties.js';

interface User {
  readonly id: string;
  readonly roles?: readonly string[];
}
interface Order {
  readonly owner: string;
}

const policy = new AccessPolicy<User, Order>({
  roles: {
    customer: { allow: [{ action: 'order:read', when: (user, order) => order?.owner === user.id }, 'help'] },
    clerk: { inherits: ['customer'], allow: ['order:*'], deny: ['order:delete', 'order:export:*'] },
    admin: { allow: ['*'] },
    suspended: { deny: ['*'] },
    broken: {
      allow: [
        {
          action: 'a',
          when: () => {
            throw new Error('x');
          },
        },
        { action: 'b', when: (async () => true) as never },
      ],
      deny: [
        {
          action: 'c',
          when: () => {
            throw new Error('x');
          },
        },
        { action: 'd', when: (async () => false) as never },
      ],
    },
  },
});
const user = (...roles: string[]): User => ({ id: 'alice', roles });

describe('AccessPolicy', () => {
  it.each<[string, User, string, Order | undefined, boolean]>([
    ['nothing without a role', user(), 'help', undefined, false],
    ['nothing for an unknown role', user('nobody'), 'help', undefined, false],
    ['nothing for a name of the prototype', user('__proto__', 'constructor', 'toString'), 'help', undefined, false],
    ['what is allowed', user('customer'), 'help', undefined, true],
    ['nothing else', user('customer'), 'order:write', undefined, false],
    ['what is conditional, when it holds', user('customer'), 'order:read', { owner: 'alice' }, true],
    ['not when it does not', user('customer'), 'order:read', { owner: 'bob' }, false],
    ['not without the resource', user('customer'), 'order:read', undefined, false],
    ['what is inherited', user('clerk'), 'help', undefined, true],
    ['what a wildcard covers', user('clerk'), 'order:read', { owner: 'bob' }, true],
    ['what a wildcard covers, deeper', user('clerk'), 'order:items:read', undefined, true],
    ['not the area itself', user('clerk'), 'order', undefined, false],
    ['not an area with the same beginning', user('clerk'), 'orders:read', undefined, false],
    ['not what is denied', user('clerk'), 'order:delete', undefined, false],
    ['not what a wildcard denies', user('clerk'), 'order:export:csv', undefined, false],
    ['everything by *', user('admin'), 'anything:at:all', undefined, true],
    ['not what another role denies', user('admin', 'clerk'), 'order:delete', undefined, false],
    ['not in any order of roles', user('suspended', 'admin'), 'help', undefined, false],
    ['not when a condition throws', user('broken'), 'a', undefined, false],
    ['not when a condition is a promise', user('broken'), 'b', undefined, false],
    ['not when a denying condition throws', user('admin', 'broken'), 'c', undefined, false],
    ['not when a denying condition is a promise', user('admin', 'broken'), 'd', undefined, false],
    ['no wildcard as an action', user('admin'), '*', undefined, false],
    ['no wildcard of an area', user('clerk'), 'order:*', undefined, false],
    ['no empty action', user('admin'), '', undefined, false],
  ])('allows %s', (_name, subject, action, resource, expected) => {
    expect(policy.can(subject, action, resource)).toBe(expected);
    if (expected) expect(() => policy.assert(subject, action, resource)).not.toThrow();
    else expect(() => policy.assert(subject, action, resource)).toThrow(AccessDeniedError);
  });

  it('says no to whatever else comes', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), fc.anything(), (subject, action, resource) => {
        expect(policy.can(subject as User, action as string, resource as Order)).toBe(false);
      }),
    );
  });

  it.each<[string, object]>([
    ['a circle', { a: { inherits: ['b'] }, b: { inherits: ['a'] } }],
    ['an unknown role to inherit', { a: { inherits: ['b'] } }],
    ['a wildcard in the middle', { a: { allow: ['x:*:y'] } }],
    ['a wildcard within a name', { a: { allow: ['x*'] } }],
    ['an empty action', { a: { allow: [''] } }],
    ['a rule that is none', { a: { allow: [null] } }],
    ['a condition that is none', { a: { allow: [{ action: 'x', when: true }] } }],
    ['a misspelt list', { a: { allows: ['x'] } }],
  ])('refuses %s', (_name, roles) => {
    expect(() => new AccessPolicy({ roles: roles as never })).toThrow(ConfigurationError);
  });
});
