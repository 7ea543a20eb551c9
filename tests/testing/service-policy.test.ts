import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeOldPolicy, withoutServices } from '../../scripts/service-policy.js';
import { ownTemporaryFolder, ScratchFolder, startFixture } from './helpers.js';

describe('the policy that keeps packages from starting services', () => {
  const folder = ownTemporaryFolder();

  it('is there while it is held, and gone after', () => {
    using scratch = new ScratchFolder(folder.path);
    const file = join(scratch.path, 'policy');
    {
      using _policy = withoutServices(file);
      expect(readFileSync(file, 'utf8')).toMatch(/^#!\/bin\/sh\n[\s\S]*exit 101\n$/);
      removeOldPolicy(file);
      expect(existsSync(file)).toBe(true);
    }
    expect(existsSync(file)).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is removed by %s', async (signal) => {
    using scratch = new ScratchFolder(folder.path);
    const file = join(scratch.path, 'policy');
    const { child } = await startFixture('hold-policy.ts', { services: { file }, environment: {} });
    expect(existsSync(file)).toBe(true);
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([null, signal]);
    expect(existsSync(file)).toBe(false);
  });

  it('is removed by a later run when its own was killed', async () => {
    using scratch = new ScratchFolder(folder.path);
    const file = join(scratch.path, 'policy');
    const { child } = await startFixture('hold-policy.ts', { services: { file }, environment: {} });
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(file)).toBe(true);
    removeOldPolicy(file);
    expect(existsSync(file)).toBe(false);
  });

  it('stays when somebody else wrote it', () => {
    using scratch = new ScratchFolder(folder.path);
    const file = join(scratch.path, 'policy');
    writeFileSync(file, '#!/bin/sh\nexit 101\n');
    removeOldPolicy(file);
    withoutServices(file)[Symbol.dispose]();
    expect(existsSync(file)).toBe(true);
  });
});
