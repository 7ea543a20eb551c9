import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { nobody, nothing, ownTemporaryFolder, processesIn, remains, startFixture } from './helpers.js';

const own = { postgres: { kinds: ['system', 'package'] }, redis: { kinds: ['system'] } };

describe('when the test process ends without stopping its services', () => {
  const folder = ownTemporaryFolder();

  const gone = { timeout: 20_000, interval: 50 };

  it.each(['SIGKILL', 'SIGTERM', 'SIGABRT'] as const)('%s leaves no process and no file', async (signal) => {
    const { child } = await startFixture('hold-services.ts', { services: own, environment: { TMPDIR: folder.path } });
    // The two servers, helpers of PostgreSQL, and the watchdog.
    expect(processesIn(folder.path).length).toBeGreaterThan(3);
    child.kill(signal);
    await expect.poll(() => remains(folder.path), gone).toEqual(nothing);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    '%s to the whole process group, as by Ctrl-C, leaves no process and no file',
    async (signal) => {
      const { child } = await startFixture('hold-services.ts', { services: own, environment: { TMPDIR: folder.path } });
      process.kill(-(child.pid as number), signal);
      expect(await once(child, 'exit')).toEqual([null, signal]);
      await expect.poll(() => remains(folder.path), gone).toEqual(nothing);
    },
  );

  it('a process with nothing left to do ends by itself: running services do not keep it alive', async () => {
    const { child } = await startFixture('start-services.ts', { services: own, environment: { TMPDIR: folder.path } });
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
    await expect.poll(() => remains(folder.path), gone).toEqual(nothing);
  });

  it('a terminated worker thread leaves no process and no file while its process lives', async () => {
    const { child } = await startFixture('worker-services.mjs', {
      services: own,
      environment: { TMPDIR: folder.path },
    });
    await expect.poll(() => remains(folder.path), gone).toEqual(nothing);
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
  });

  it('a user without privileges gets the same', async () => {
    const environment = { TMPDIR: folder.path, XDG_CACHE_HOME: `${folder.path}/cache` };
    const uid = process.getuid?.() === 0 ? { uid: nobody } : {};
    const { child, line } = await startFixture('hold-services.ts', { services: own, environment, ...uid });
    expect(line).toMatch(/postgres \d.*redis \d/);
    child.kill('SIGKILL');
    await expect.poll(() => remains(folder.path), gone).toEqual(nothing);
  });
});
