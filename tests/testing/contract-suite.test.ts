import assert from 'node:assert/strict';
import { ConfigurationError, UnsupportedError } from '@safla/sdk/core';
import * as neutral from '@safla/sdk/testing';
import { type ContractOptions, contractSuite, failsWith, testRunner } from '@safla/sdk/testing';
import * as bound from '@safla/sdk/testing/vitest';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CollectingRunner } from './fixtures/collecting-runner.js';

interface Box {
  readonly capabilities?: Readonly<Record<string, boolean>>;
  open(): Promise<number>;
  lock(): void;
}

const boxContract = contractSuite<Box, 'open' | 'lock'>('Box', [
  { name: 'is a box', run: async (box) => assert.equal(typeof box, 'object') },
  { name: 'opens', needs: 'open', run: async (box) => assert.equal(await box.open(), 1), refused: (box) => box.open() },
  { name: 'locks', needs: 'lock', run: async (box) => box.lock() },
  { name: 'unlocks', needs: 'lock', run: async (box) => box.lock() },
]);

const goodBox: Box = { open: async () => 1, lock: () => undefined };

async function run(
  make: () => Box | Promise<Box>,
  capabilities: NonNullable<ContractOptions<'open' | 'lock'>['capabilities']> = {},
): Promise<{ runner: CollectingRunner; failed: Map<string, unknown> }> {
  const runner = new CollectingRunner();
  boxContract('TestBox', make, { runner, capabilities });
  return { runner, failed: await runner.failures() };
}

describe('contractSuite', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('runs every case on a fresh subject, under the name of the provider', async () => {
    let made = 0;
    const { runner, failed } = await run(async () => {
      made++;
      return goodBox;
    });
    expect(runner.titles).toEqual(['TestBox as Box']);
    expect(runner.tests.map(({ name }) => name)).toEqual(['is a box', 'opens', 'locks', 'unlocks']);
    expect(failed.size).toBe(0);
    expect(made).toBe(4);
  });

  it('closes each subject, also after a failure, by disposal or else by close', async () => {
    const log: string[] = [];
    const broken = { ...goodBox, open: async () => 2 };
    const { failed } = await run(() => ({ ...broken, close: async () => log.push('close') }));
    expect([...failed.keys()]).toEqual(['opens']);
    await run(() => ({
      ...broken,
      close: async () => log.push('no'),
      [Symbol.asyncDispose]: async () => log.push('dispose'),
    }));
    expect(log).toEqual([...Array(4).fill('close'), ...Array(4).fill('dispose')]);
  });

  it('lets a failure to close fail the case', async () => {
    const { failed } = await run(() => ({ ...goodBox, close: () => Promise.reject(new Error('stuck')) }));
    expect(failed.size).toBe(4);
  });

  it('checks that a missing capability is refused with UnsupportedError', async () => {
    const refusing = { ...goodBox, open: () => Promise.reject(new UnsupportedError('no lid')) };
    const good = await run(() => refusing, { open: false });
    expect(good.runner.tests.map(({ name }) => name)).toContain("opens: refused, for want of 'open'");
    expect(good.failed.size).toBe(0);
    const silent = await run(() => goodBox, { open: false });
    expect([...silent.failed.keys()]).toEqual(["opens: refused, for want of 'open'"]);
    const untyped = await run(() => ({ ...goodBox, open: () => Promise.reject(new Error('no lid')) }), { open: false });
    expect(untyped.failed.size).toBe(1);
  });

  it('lists what is not applicable in one name, and fails when the subject says it can', async () => {
    const name = "not applicable, for want of 'lock': locks; unlocks";
    const { runner, failed } = await run(() => ({ ...goodBox, capabilities: { lock: false } }), { lock: false });
    expect(runner.tests.map((test) => test.name)).toEqual(['is a box', 'opens', name]);
    expect(failed.size).toBe(0);
    const lying = await run(() => ({ ...goodBox, capabilities: { lock: true } }), { lock: false });
    expect([...lying.failed.keys()]).toEqual([name]);
  });

  it('uses the global describe and it when no runner is given', () => {
    const runner = new CollectingRunner();
    vi.stubGlobal('describe', runner.describe);
    vi.stubGlobal('it', runner.it);
    boxContract('TestBox', () => goodBox);
    expect(runner.tests).toHaveLength(4);
  });

  it('says where to import from when there is no runner', () => {
    expect(() => boxContract('TestBox', () => goodBox)).toThrow(ConfigurationError);
    expect(() => testRunner()).toThrow("'@safla/sdk/testing/vitest'");
  });
});

let ran = 0;
const boundContract = bound.contractSuite<object>('object', [
  {
    name: 'runs in vitest without a runner',
    async run() {
      ran++;
    },
  },
]);
boundContract('a bound suite', () => ({}));
it('a suite from the vitest entry point registers with vitest', () => expect(ran).toBe(1));

it('the vitest entry point binds every contract that is there', () => {
  const contracts = Object.keys(neutral).filter((name) => name.endsWith('Contract'));
  expect(contracts.length).toBeGreaterThan(4);
  const unbound = contracts.filter((name) => Reflect.get(bound, name) === Reflect.get(neutral, name));
  expect(unbound).toEqual([]);
});

describe('failsWith', () => {
  const refusal = (): never => {
    throw new UnsupportedError('no');
  };

  it('passes for a typed error of the code, thrown or rejected', async () => {
    await failsWith('UNSUPPORTED', 'it', refusal);
    await failsWith('UNSUPPORTED', 'it', async () => refusal());
  });

  it.each([
    ['is accepted', () => 1, 'must fail with CLOSED, but was accepted'],
    ['fails with another code', refusal, 'must fail with CLOSED, but failed with UnsupportedError'],
    ['fails with an untyped error', () => Promise.reject(new TypeError('x')), 'but failed with TypeError: x'],
  ])('fails for a call that %s', async (_, call, words) => {
    await expect(failsWith('CLOSED', 'it', call)).rejects.toThrow(words);
  });
});
