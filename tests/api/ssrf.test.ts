import type { LookupAddress, lookup } from 'node:dns';
import { BlockList, isIPv4 } from 'node:net';
import { APIIntegration, type APIIntegrationOptions, httpTransport, undiciTransport } from '@safla/sdk/api';
import { AccessDeniedError, ConfigurationError, SaflaError, UnsupportedError, ValidationError } from '@safla/sdk/core';
import axios from 'axios';
import fc from 'fast-check';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { AddressGuard, AllowList } from '../../src/drivers/http/guard/index.js';
import { addressBlock, addressBytes, isInBlock } from '../../src/drivers/http/guard/ip-address.js';
import { json, rejection, serve } from './support/server.js';

/** Ways to write addresses and names that are not public hosts. */
const corpus = [
  // Loopback, in every spelling that some parser reads.
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7F.0x0.0x0.0x1',
  '017700000001',
  '0177.0.0.1',
  '0177.0.0.01',
  '0x7f.1',
  '127.0.0.1.',
  '0x7f000001.',
  '127.255.255.254',
  '0',
  '0.0.0.0',
  '0x0',
  '00000000000',
  '１２７.０.０.１',
  '127。0。0。1',
  '127｡0｡0｡1',
  '①②⑦.⓪.⓪.①',
  '%31%32%37.0.0.1',
  '127%2e0%2e0%2e1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001:0:7f00:1::]',
  '[fe80::5efe:7f00:1]',
  // Private, link-local, shared, documentation, benchmark, multicast, reserved.
  '10.0.0.1',
  '10.255.255.255',
  '0xa000001',
  '012.0.0.1',
  '167772161',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '192.168.1',
  '3232235521',
  '169.254.1.1',
  '100.64.0.1',
  '100.127.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '192.88.99.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '[::ffff:10.0.0.1]',
  '[::ffff:192.168.0.1]',
  '[64:ff9b::10.0.0.1]',
  '[2002:c0a8:1::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[100::1]',
  '[5f00::1]',
  '[4000::1]',
  // What clouds tell their machines.
  '169.254.169.254',
  '0xa9fea9fe',
  '2852039166',
  '0251.0376.0251.0376',
  '[::ffff:a9fe:a9fe]',
  '[::ffff:169.254.169.254]',
  '169.254.170.2',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  'metadata.google.internal',
  'metadata.google.internal.',
  'METADATA',
  'instance-data',
  'metadata.azure.internal',
  // Names of the own network.
  'localhost',
  'LOCALHOST',
  'localhost.',
  'localhost..',
  'a.localhost',
  'ｌｏｃａｌｈｏｓｔ',
  'loc%61lhost',
  'localhost.localdomain',
  'printer.local',
  'nas.lan',
  'router.home',
  'x.home.arpa',
  'wiki.corp',
  'db.internal',
  'intranet',
  'db',
  'x.intranet',
  'x.onion',
];

const publicHosts = [
  '1.1.1.1',
  '8.8.8.8',
  '93.184.216.34',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '192.0.1.1',
  '198.20.0.1',
  '[2606:4700:4700::1111]',
  '[2a00:1450::1]',
  '[::ffff:8.8.8.8]',
  '[64:ff9b::8.8.8.8]',
  'example.com',
  'localhost.example.com',
  'internal.example.com',
  'bücher.example',
];

const verdict = (host: string): 'open' | 'refused' => {
  if (!URL.canParse(`http://${host}/`)) return 'refused';
  try {
    new AddressGuard().check(new URL(`http://${host}/`));
    return 'open';
  } catch (error) {
    expect(error).toBeInstanceOf(AccessDeniedError);
    return 'refused';
  }
};

describe('an address that is not public', () => {
  it.each(corpus)('%s is refused', (host) => {
    expect(verdict(host)).toBe('refused');
  });

  it.each(publicHosts)('%s is none', (host) => {
    expect(verdict(host)).toBe('open');
  });

  it('is refused in any spelling of an IPv4 address', () => {
    const privates = ['10', '127', '169.254', '172.16', '192.168', '100.64', '0'];
    const number = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    const hex = (bytes: readonly number[]): string => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const spellings: ((bytes: readonly number[]) => string)[] = [
      (bytes) => bytes.join('.'),
      (bytes) => String(number(bytes)),
      (bytes) => `0x${number(bytes).toString(16)}`,
      (bytes) => `0${number(bytes).toString(8)}`,
      (bytes) => bytes.map((byte) => `0x${byte.toString(16)}`).join('.'),
      (bytes) => bytes.map((byte) => `0${byte.toString(8)}`).join('.'),
      (bytes) => `${bytes[0]}.${number(bytes.slice(1))}`,
      (bytes) => `${bytes[0]}.${bytes[1]}.${number(bytes.slice(2))}.`,
      (bytes) => `[::ffff:${bytes.join('.')}]`,
      (bytes) => `[::${bytes.join('.')}]`,
      (bytes) => `[64:ff9b::${bytes.join('.')}]`,
      (bytes) => `[2002:${hex(bytes.slice(0, 2))}:${hex(bytes.slice(2))}::1]`,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...privates),
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 3, maxLength: 3 }),
        fc.constantFrom(...spellings),
        (prefix, rest, spell) => {
          const bytes = [...prefix.split('.').map(Number), ...rest].slice(0, 4);
          expect(verdict(spell(bytes))).toBe('refused');
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('blocks of addresses', () => {
  it('hold what the block list of Node.js holds', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(address, address, fc.nat(128), (network, asked, length) => {
        const bits = isIPv4(network) ? length % 33 : length;
        const block = addressBlock(`${network}/${bits}`);
        const bytes = addressBytes(asked);
        const oracle = new BlockList();
        oracle.addSubnet(network, bits, isIPv4(network) ? 'ipv4' : 'ipv6');
        const isMapped = [network, asked].some((one) => !isIPv4(one) && addressBytes(one)?.length === 4);
        fc.pre(block !== undefined && bytes !== undefined && !isMapped);
        const same = isIPv4(network) === isIPv4(asked) && oracle.check(asked, isIPv4(asked) ? 'ipv4' : 'ipv6');
        expect(block && bytes && isInBlock(bytes, block)).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0/8', 'fe80::1%eth0', 'x/8', '::ffff:10.0.0.0/90'])(
    '%s is none',
    (text) => {
      expect(addressBlock(text)).toBeUndefined();
    },
  );
});

describe('security.allow', () => {
  const allows = (list: string[], url: string): boolean => new AllowList(list, 'allow').allows(new URL(url));

  it('opens exactly what is named', () => {
    expect(allows(['https://files.example'], 'https://files.example/x')).toBe(true);
    expect(allows(['https://FILES.example:443/'], 'https://files.example./x')).toBe(true);
    for (const url of [
      'http://files.example/x',
      'https://files.example:8443/x',
      'https://a.files.example/x',
      'https://files.example.evil/x',
      'https://user:pw@files.example/x',
      'ftp://files.example/x',
    ])
      expect(allows(['https://files.example'], url)).toBe(false);
    expect(allows(['https://*.cdn.example'], 'https://a.b.cdn.example/')).toBe(true);
    expect(allows(['https://*.cdn.example'], 'https://cdn.example/')).toBe(false);
    expect(allows(['https://*.cdn.example'], 'https://evilcdn.example/')).toBe(false);
    expect(allows(['https://*'], 'https://anything.example/')).toBe(true);
    expect(allows(['https://*'], 'https://anything.example:8443/')).toBe(false);
    expect(allows(['https://*:8443'], 'https://anything.example:8443/')).toBe(true);
  });

  it.each([
    'files.example',
    'https://',
    'https://a/b',
    'https://a?b',
    'ftp://a',
    'https://u:p@a',
    'https://*a.example',
    'https://a.*.example',
    '*',
    '',
    5,
  ])('refuses %j', (entry) => {
    expect(() => new APIIntegration({ baseURL: 'https://x.example', security: { allow: [entry as string] } })).toThrow(
      ConfigurationError,
    );
  });

  it('refuses addresses without an origin, and a ready client, which checks nothing', () => {
    const baseURL = 'https://x.example';
    expect(() => new APIIntegration({ baseURL, security: { allow: ['10.0.0.0/8'] } })).toThrow(/no origin/);
    expect(() => new APIIntegration({ baseURL, client: axios.create(), security: { allow: ['https://*'] } })).toThrow(
      ConfigurationError,
    );
  });

  it('lets requests go to a named origin, without the credential and the headers of the API', async () => {
    await using home = await serve((_, response) => json(response, {}));
    await using files = await serve((seen, response) => json(response, seen.headers));
    await using api = new APIIntegration({
      baseURL: home.origin,
      auth: 'k3y',
      headers: { 'x-api-key': 'k3y', 'x-tenant': 'acme' },
      security: { allow: [files.origin] },
    });
    const headers = (await api.get(`${files.origin}/report?year=2026`)) as Record<string, string>;
    expect(files.seen[0]?.url).toBe('/report?year=2026');
    expect(Object.keys(headers)).not.toContain('authorization');
    expect(JSON.stringify(headers)).not.toMatch(/k3y|acme/);
    expect(await rejection(api.get('http://127.0.0.1:1/x'))).toBeInstanceOf(ValidationError);
    expect(await rejection(api.get(`//${new URL(files.origin).host}/x`))).toBeInstanceOf(ValidationError);
  });

  it('opens public hosts alone by a pattern: the rest of the corpus never gets a connection', async () => {
    await using home = await serve((_, response) => json(response, {}));
    const { port } = new URL(home.origin);
    await using api = new APIIntegration({
      baseURL: home.origin.replace('127.0.0.1', 'localhost'),
      security: { allow: [`http://*:${port}`] },
      policy: { retry: false },
    });
    for (const host of corpus) {
      // The base itself is trusted.
      if (URL.canParse(`http://${host}`) && new URL(`http://${host}`).hostname === 'localhost') continue;
      const error = await rejection(api.get(`http://${host}:${port}/x`));
      expect(SaflaError.is(error) && ['ACCESS_DENIED', 'VALIDATION'].includes(error.code)).toBe(true);
    }
    expect(home.connections()).toBe(0);
  });

  it('needs a transport that can check addresses', async () => {
    await using home = await serve((_, response) => json(response, {}));
    const dispatcher = new Agent();
    const transport = undiciTransport({ dispatcher });
    await using api = new APIIntegration({ baseURL: home.origin, transport, security: { allow: ['https://*'] } });
    expect(await rejection(api.get('https://example.com/x'))).toBeInstanceOf(UnsupportedError);
    await dispatcher.close();
  });
});

describe.each([
  ['undici', undiciTransport],
  ['node:http', httpTransport],
])('names that resolve to what is not public, over %s', (_, makeTransport) => {
  /** A resolver that gives the next answer with each question. */
  const resolver = (...answers: string[][]) => {
    const asked: string[] = [];
    const fake = (host: string, _: object, callback: (error: null, found: LookupAddress[]) => void): void => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(host);
      callback(
        null,
        answer.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 })),
      );
    };
    return { asked, lookup: fake as unknown as typeof lookup };
  };

  const get = async (guard: AddressGuard, url: string): Promise<unknown> => {
    const transport = makeTransport();
    try {
      const { status, body } = await transport.send({ method: 'GET', url, guardFor: () => guard });
      for await (const _ of body);
      return status;
    } finally {
      await transport.close();
    }
  };

  it.each([
    [['127.0.0.1']],
    [['::1']],
    [['10.0.0.1']],
    [['169.254.169.254']],
    [['93.184.216.34', '127.0.0.1']],
    [['fe80::1%lo']],
  ])('%j get no connection', async (answer) => {
    await using home = await serve((_, response) => json(response, {}));
    const { asked, lookup: fake } = resolver(answer);
    const error = await rejection(
      get(new AddressGuard({ lookup: fake }), `http://a.example:${new URL(home.origin).port}/`),
    );
    expect(error).toBeInstanceOf(AccessDeniedError);
    expect((error as Error).message).not.toMatch(/127|169|10\.0/);
    expect([asked, home.connections()]).toEqual([['a.example'], 0]);
  });

  it('are looked up once: what was checked is what is connected to', async () => {
    await using home = await serve((_, response) => json(response, {}));
    const { port } = new URL(home.origin);
    const open = addressBlock('127.0.0.1/32');
    // The second answer would be the attack: nobody asks for it.
    const { asked, lookup: fake } = resolver(['127.0.0.1'], ['127.0.0.2']);
    const guard = new AddressGuard({ lookup: fake, blocks: open ? [open] : [] });
    expect(await get(guard, `http://a.example:${port}/`)).toBe(200);
    expect(asked).toEqual(['a.example']);
    // A new connection is a new question, and a new check.
    expect(await rejection(get(guard, `http://a.example:${port}/`))).toBeInstanceOf(AccessDeniedError);
    expect(home.connections()).toBe(1);
  });

  it('do not share connections that were opened without a check', async () => {
    await using home = await serve((_, response) => json(response, {}));
    const { port } = new URL(home.origin);
    const transport = makeTransport();
    const url = `http://localhost:${port}/`;
    const read = async (response: Awaited<ReturnType<typeof transport.send>>): Promise<void> => {
      for await (const _ of response.body);
    };
    await read(await transport.send({ method: 'GET', url }));
    const { lookup: fake } = resolver(['127.0.0.1']);
    const guard = new AddressGuard({ lookup: fake });
    const send = transport.send({ method: 'GET', url: `http://a.example:${port}/`, guardFor: () => guard });
    expect(await rejection(send)).toBeInstanceOf(AccessDeniedError);
    await transport.close();
  });
});

describe.each([
  ['straight to the transport', false],
  ['through the axios instance', true],
])('redirects to other origins, %s', (_, byClient) => {
  /** Once somebody holds the instance, every request goes through it. */
  const open = async (options: APIIntegrationOptions): Promise<APIIntegration> => {
    const api = new APIIntegration(options);
    if (byClient) await api.client;
    return api;
  };

  const secrets = { auth: 'k3y', headers: { 'x-api-key': 'k3y', cookie: 'sid=k3y', 'x-tenant': 'k3y' } };
  const headers = { 'x-auth-token': 'k3y', accept: 'text/plain' };

  it('are not followed unless allowed', async () => {
    await using other = await serve((_, response) => json(response, {}));
    await using home = await serve((_, response) => response.writeHead(302, { location: `${other.origin}/x` }).end());
    await using api = await open({ baseURL: home.origin, ...secrets });
    expect(await rejection(api.get('/x'))).toMatchObject({ status: 302 });
    expect(other.connections()).toBe(0);
  });

  it.each([301, 302, 303, 307, 308])('with status %i take nothing along that says who asks', async (status) => {
    await using other = await serve((seen, response) => json(response, seen.headers));
    await using home = await serve((_, response) =>
      response.writeHead(status, { location: `${other.origin}/x` }).end(),
    );
    await using api = await open({ baseURL: home.origin, ...secrets, security: { allow: [other.origin] } });
    const { data } = await api.request('/x', { headers });
    expect(home.seen[0]?.headers).toMatchObject({
      authorization: 'Bearer k3y',
      'x-api-key': 'k3y',
      'x-auth-token': 'k3y',
    });
    expect(JSON.stringify(data)).not.toContain('k3y');
    expect(Object.keys(data as object).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  it('to a host that only a pattern opens are checked like any other', async () => {
    await using other = await serve((_, response) => json(response, {}));
    const { port } = new URL(other.origin);
    await using home = await serve((seen, response) =>
      response.writeHead(302, { location: `http://${seen.url.slice(1)}:${port}/x` }).end(),
    );
    await using api = await open({ baseURL: home.origin, security: { allow: [`http://*:${port}`] } });
    for (const host of ['127.0.0.1', '2130706433', '[::ffff:7f00:1]', 'localhost'])
      expect(await rejection(api.get(`/${host}`))).toBeInstanceOf(AccessDeniedError);
    expect(other.connections()).toBe(0);
  });

  it('do not lead back into the base', async () => {
    await using home = await serve((seen, response) =>
      seen.url === '/go' ? response.writeHead(302, { location: `${other.origin}/x` }).end() : json(response, {}),
    );
    await using other = await serve((_, response) =>
      response.writeHead(302, { location: `${home.origin}/admin` }).end(),
    );
    await using api = await open({ baseURL: home.origin, security: { allow: [other.origin] } });
    expect(await rejection(api.get('/go'))).toMatchObject({ status: 302 });
    expect(home.seen.map(({ url }) => url)).toEqual(['/go']);
  });
});
