import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigurationError } from '@safla/sdk/core';
import { TestContainer } from '@safla/sdk/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { foldersWith } from '../../src/testing/services/launch/binaries.js';
import { cacheFolder, temporaryFolder } from '../../src/testing/services/launch/folders.js';
import { isReachable } from '../../src/testing/services/launch/identity.js';
import { Watchdog } from '../../src/testing/services/launch/watchdog.js';
import { nobody, nothing, ownTemporaryFolder, remains, ScratchFolder, startFixture } from './helpers.js';

const temporary = ownTemporaryFolder();

describe('cacheFolder', () => {
  it('makes the folder that was configured, and refuses one that cannot be', async () => {
    using scratch = new ScratchFolder(temporary.path);
    const path = join(scratch.path, 'deep', 'cache');
    expect(await cacheFolder(path)).toBe(path);
    expect((await stat(path)).isDirectory()).toBe(true);
    await writeFile(join(scratch.path, 'file'), '');
    await expect(cacheFolder(join(scratch.path, 'file', 'cache'))).rejects.toThrow(ConfigurationError);
  });
});

describe('temporaryFolder', () => {
  it('belongs to its owner alone, and goes away with all it holds', async () => {
    const folder = await temporaryFolder(temporary.path, {}, new Watchdog());
    expect((await stat(folder.path)).mode & 0o777).toBe(0o700);
    await writeFile(join(folder.path, 'data'), 'x');
    await folder.remove();
    await folder.remove();
    await expect.poll(() => remains(temporary.path)).toEqual(nothing);
  });
});

describe('isReachable', () => {
  it('is true only when everybody may enter all folders above and read the target', async () => {
    using scratch = new ScratchFolder(temporary.path);
    const inner = join(scratch.path, 'inner');
    await mkdir(inner, { mode: 0o755 });
    await writeFile(join(inner, 'program'), '', { mode: 0o755 });
    expect(await isReachable(join(inner, 'program'))).toBe(false);
    await chmod(scratch.path, 0o711);
    expect(await isReachable(join(inner, 'program'))).toBe(true);
    await chmod(join(inner, 'program'), 0o750);
    expect(await isReachable(join(inner, 'program'))).toBe(false);
  });
});

describe('foldersWith', () => {
  it('finds PATH first, then patterns with higher versions first, and only folders that hold all programs', async () => {
    using scratch = new ScratchFolder(temporary.path);
    const at = (name: string): string => join(scratch.path, name);
    for (const name of ['9.6/bin', '10/bin', '11/bin', 'path', 'half', 'links'])
      await mkdir(at(name), { recursive: true });
    for (const name of ['9.6/bin', '10/bin', '11/bin', 'path']) {
      await writeFile(join(at(name), 'server'), '', { mode: 0o755 });
      await writeFile(join(at(name), 'helper'), '', { mode: name === '11/bin' ? 0o644 : 0o755 });
    }
    await writeFile(join(at('half'), 'server'), '', { mode: 0o755 });
    await symlink(join(at('path'), 'server'), join(at('links'), 'server'));
    const path = [at('nowhere'), at('half'), at('links')].join(':');
    const found = await foldersWith(['server', 'helper'], path, [at('*/bin'), at('path')]);
    expect(found).toEqual([at('path'), at('10/bin'), at('9.6/bin')]);
    expect(await foldersWith(['server', 'helper'], undefined, [])).toEqual([]);
  });
});

describe('where folders are closed', () => {
  afterEach(async () => {
    await expect.poll(() => remains(temporary.path), { timeout: 10_000 }).toEqual(nothing);
  });

  it('a server whose user cannot enter the temporary folder runs in the cache', async () => {
    using scratch = new ScratchFolder(temporary.path);
    const cachePath = join(scratch.path, 'cache');
    const closed = join(scratch.path, 'closed');
    await chmod(scratch.path, 0o755);
    await mkdir(closed, { mode: 0o700 });
    const before = process.env.TMPDIR;
    process.env.TMPDIR = closed;
    try {
      await using services = await TestContainer.start({ postgres: { kinds: ['system', 'package'] }, cachePath });
      expect(services.postgres.version).toMatch(/^\d/);
    } finally {
      process.env.TMPDIR = before;
    }
    for (const folder of [closed, cachePath]) {
      await expect.poll(() => remains(folder), { timeout: 10_000 }).toEqual(nothing);
    }
  });

  it('a user without a home keeps the cache in the temporary folder, and refuses one that others can write', async () => {
    const environment = { TMPDIR: temporary.path, XDG_CACHE_HOME: '/usr/no-such-folder', HOME: '/nonexistent' };
    const uid = process.getuid?.() === 0 ? nobody : (process.getuid?.() ?? -1);
    const own = process.getuid?.() === 0 ? { uid } : {};
    const services = { postgres: { kinds: ['system', 'package'] } };
    const { child } = await startFixture('hold-services.ts', { services, environment, ...own });
    const cache = join(temporary.path, `safla-sdk-${uid}`);
    expect((await stat(cache)).uid).toBe(uid);
    child.kill('SIGKILL');
    await chmod(cache, 0o777);
    await expect(startFixture('hold-services.ts', { services, environment, ...own })).rejects.toThrow(
      'is not yours alone',
    );
  });
});
