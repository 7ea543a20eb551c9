import { inspect } from 'node:util';
import { ConnectFailedError, type PostgresDatabaseOptions } from '@safla/sdk/database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certificates } from '../support/certificates.js';
import { eventually, rejection, TestServer } from './support.js';

/** Servers run as this user when the tests run as root. */
const nobody = process.getuid?.() === 0 ? 65_534 : undefined;

let certificates: Certificates;
let server: TestServer;
let ca: string;
let otherCa: string;

beforeAll(async () => {
  certificates = await Certificates.open();
  [ca, otherCa] = [await certificates.authority('ca'), await certificates.authority('other')];
  const names = 'IP:127.0.0.1,DNS:db.test';
  const { certificate, key } = await certificates.issued(ca, { commonName: 'server', names, owner: nobody });
  const rules = ['hostssl all certified 127.0.0.1/32 cert', 'host all all 127.0.0.1/32 scram-sha-256'];
  const hba = await certificates.write('pg_hba.conf', `${rules.join('\n')}\n`);
  server = await TestServer.start({
    kinds: ['system', 'package'],
    config: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key, ssl_ca_file: ca, hba_file: hba },
  });
}, 120_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

/** The server's URL, by another host or with other parameters. */
function at(parameters: Readonly<Record<string, string>>, host = '127.0.0.1'): string {
  const url = new URL(server.url);
  url.hostname = host;
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

describe('an encrypted connection', () => {
  it.each<[string, () => Partial<PostgresDatabaseOptions>]>([
    ['sslmode=verify-full', () => ({ url: at({ sslmode: 'verify-full', sslrootcert: ca }) })],
    ['sslmode=verify-ca', () => ({ url: at({ sslmode: 'verify-ca', sslrootcert: ca }) })],
    ['sslmode=require', () => ({ url: at({ sslmode: 'require', sslrootcert: ca }) })],
    ['sslrootcert alone', () => ({ url: at({ sslrootcert: ca }) })],
    ['sslmode=no-verify, which checks nothing', () => ({ url: at({ sslmode: 'no-verify' }) })],
  ])('is made with %s', async (_, options) => {
    const db = server.open(options());
    expect(await db.sql.one`select ssl, version from pg_stat_ssl where pid = pg_backend_pid()`).toEqual({
      ssl: true,
      version: expect.stringMatching(/^TLSv1\.[23]$/),
    });
  });

  it('is made with the option tls, also to a host of another name than the certificate', async () => {
    const text = await certificates.read(ca);
    const byAddress = server.open({ tls: { ca: text } });
    expect(await byAddress.sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`).toEqual([{ ssl: true }]);
    const byName = server.open({ url: at({}, 'localhost'), tls: { ca: text, servername: 'db.test' } });
    expect(await byName.sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`).toEqual([{ ssl: true }]);
    const byBoth = server.open({ tls: { ca: text, servername: 'db.test' } });
    expect(await byBoth.sql`select ssl from pg_stat_ssl where pid = pg_backend_pid()`).toEqual([{ ssl: true }]);
  });

  it.each<[string, () => Promise<Partial<PostgresDatabaseOptions>>, RegExp]>([
    ['nobody vouches for the certificate', async () => ({ url: at({ sslmode: 'require' }) }), /sslrootcert in the URL/],
    ['another authority does', async () => ({ url: at({ sslrootcert: otherCa }) }), /certificate/],
    [
      'another authority does, by the option tls',
      async () => ({ tls: { ca: await certificates.read(otherCa) } }),
      /certificate/,
    ],
    ['the option tls is true and the authority private', async () => ({ tls: true }), /certificate/],
    [
      'the certificate is for another host',
      async () => ({ url: at({ sslmode: 'verify-full', sslrootcert: ca }, 'localhost') }),
      /localhost/,
    ],
    [
      'the certificate has another name than the one asked for',
      async () => ({ url: at({}, 'localhost'), tls: { ca: await certificates.read(ca), servername: 'other.test' } }),
      /other\.test/,
    ],
  ])('is refused where %s', async (_, options, reason) => {
    const db = server.open(await options());
    const error = await rejection(db.sql`select 1`);
    expect(error).toBeInstanceOf(ConnectFailedError);
    expect(String(error)).toMatch(reason);
    expect(await db.isConnected()).toBe(false);
  });

  it('shows the certificate of its own where the server asks for one, and says when it has none', async () => {
    await server.open().sql`create role certified login`;
    const mine = await certificates.issued(ca, { commonName: 'certified' });
    const url = new URL(server.url);
    url.username = 'certified';
    url.password = '';
    const tls = { ca: await certificates.read(ca) };
    const [cert, key] = [await certificates.read(mine.certificate), await certificates.read(mine.key)];
    const known = server.open({ url, tls: { ...tls, cert, key } });
    expect(await known.sql`select current_user as me`).toEqual([{ me: 'certified' }]);
    const unknown = await rejection(server.open({ url, tls }).sql`select 1`);
    expect(unknown).toMatchObject({ kind: 'authentication', retryable: false });
    expect(JSON.stringify([known, unknown])).not.toContain('PRIVATE KEY');
    expect(inspect([known, unknown], { depth: 9, showHidden: true })).not.toContain('PRIVATE KEY');
  });

  it('carries cancellations, notifications and bulk inserts too', async () => {
    const db = server.open({ url: at({ sslmode: 'verify-full', sslrootcert: ca }) });
    const abort = new AbortController();
    const call = rejection(db.sql.with({ signal: abort.signal })`select pg_sleep(60)`);
    const sleeping = async () =>
      (await db.sql`select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`).rowCount;
    await eventually(async () => (await sleeping()) === 1);
    abort.abort(new Error('enough'));
    expect(await call).toEqual(new Error('enough'));
    await eventually(async () => (await sleeping()) === 0);
    expect(db.metrics().primary.lost).toBe(0);

    const heard: string[] = [];
    await using _listening = await db.listen('jobs', ({ payload }) => void heard.push(payload));
    await db.notify('jobs', '42');
    await eventually(() => heard.length === 1);
    await db.sql`create table bulk (n int)`;
    await db.bulkInsert(
      'bulk',
      Array.from({ length: 5_000 }, (_, n) => ({ n })),
    );
    expect(await db.sql`select count(*) as n from bulk`).toEqual([{ n: 5_000 }]);
  });
});
