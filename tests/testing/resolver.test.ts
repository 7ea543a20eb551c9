import { CallScope, NotFoundError } from '@safla/sdk/core';
import { ServiceUnavailableError, type TestService } from '@safla/sdk/testing';
import { describe, expect, it } from 'vitest';
import { Watchdog } from '../../src/testing/services/launch/watchdog.js';
import {
  type ResolverContext,
  resolveService,
  type ServiceRecipe,
  type ServiceResolver,
} from '../../src/testing/services/resolver.js';
import { RunningService, type ServiceKind } from '../../src/testing/services/test-service.js';

function contextOf(scope: CallScope = new CallScope('test')): ResolverContext {
  return { environment: {}, config: {}, cachePath: undefined, scope, watchdog: new Watchdog() };
}

function service(kind: ServiceKind): TestService {
  const url = 'redis://:secret@127.0.0.1';
  const openNamespace = (): Promise<never> => Promise.reject(new Error('unused'));
  return new RunningService({ name: 'redis', kind, origin: kind, version: '1', url, openNamespace });
}

function way(kind: ServiceKind, outcome: TestService | Error, real: boolean = true): ServiceResolver {
  return {
    kind,
    real,
    way: `by ${kind}`,
    resolve: async () => {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
}

function recipe(...ways: ServiceResolver[]): ServiceRecipe {
  return { name: 'redis', ways, remedy: 'Install it' };
}

describe('resolveService', () => {
  it('takes the first way that works and does not try those behind it', async () => {
    let tried = false;
    const behind = {
      ...way('package', service('package')),
      resolve: async () => {
        tried = true;
        return service('package');
      },
    };
    const absent = way('environment', new NotFoundError('not set'));
    const resolved = await resolveService(recipe(absent, way('system', service('system')), behind), contextOf());
    expect(resolved.service.kind).toBe('system');
    expect(tried).toBe(false);
    expect(resolved.attempts).toEqual([{ service: 'redis', way: 'by environment', reason: 'not set', broken: false }]);
  });

  it('tells a way that is broken from one that is absent, and keeps its cause', async () => {
    const cause = new Error('does not run');
    const ways = recipe(way('environment', new NotFoundError('not set')), way('system', cause));
    const error = await resolveService(ways, contextOf()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ServiceUnavailableError);
    expect(error).toMatchObject({
      cause,
      attempts: [{ broken: false }, { broken: true, cause }],
      remedies: ['Install it'],
    });
  });

  it("leaves out what only behaves like the service with required: 'real'", async () => {
    const emulated = recipe(way('package', service('package'), false));
    expect((await resolveService(emulated, contextOf())).service.kind).toBe('package');
    await expect(resolveService(emulated, contextOf(), { required: 'real' })).rejects.toThrow("required: 'real'");
  });

  it('tries only the kinds asked for', async () => {
    const ways = recipe(way('environment', service('environment')), way('system', service('system')));
    expect((await resolveService(ways, contextOf(), { kinds: ['system'] })).service.kind).toBe('system');
  });

  it('rejects with the reason of a start that ended, not with what that broke', async () => {
    const scope = new CallScope('test');
    const reason = new Error('enough');
    scope.cancel(reason);
    const ways = recipe(way('environment', new Error('cut off')), way('system', service('system')));
    await expect(resolveService(ways, contextOf(scope))).rejects.toBe(reason);
  });
});

describe('RunningService', () => {
  it('reads host and port from its URL, with the usual port where it names none', () => {
    expect(service('system')).toMatchObject({ host: '127.0.0.1', port: 6379 });
    const six = new RunningService({
      name: 'postgres',
      kind: 'environment',
      origin: 'POSTGRES_URL',
      version: '18',
      url: 'postgres://u@[::1]:7000/db',
      openNamespace: () => Promise.reject(new Error('unused')),
    });
    expect(six).toMatchObject({ host: '::1', port: 7000 });
  });
});
