import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { ConnectionError, ProtocolError } from '@safla/sdk/core';
import { afterEach, describe, expect, it } from 'vitest';
import { PostgresWire } from '../../src/testing/services/postgres/postgres-wire.js';
import { ScramClient } from '../../src/testing/services/postgres/scram.js';
import { RedisWire } from '../../src/testing/services/redis/redis-wire.js';

describe('ScramClient', () => {
  // The example of RFC 7677, section 3.
  const challenge = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
  const client = (): ScramClient => new ScramClient('pencil', 'user', 'rOprNGfwEbeRWgbNEkqO');

  it('computes the example of RFC 7677', () => {
    const scram = client();
    expect(scram.first).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    expect(scram.respond(challenge)).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    scram.verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  });

  it('refuses a server that does not know the password, and a challenge of another exchange', () => {
    const scram = client();
    expect(() => scram.verify('v=')).toThrow(ProtocolError);
    scram.respond(challenge);
    expect(() => scram.verify('v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toThrow(ProtocolError);
    expect(() => client().respond('r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')).toThrow(ProtocolError);
    expect(() => client().respond('r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')).toThrow(ProtocolError);
    expect(() => client().respond(challenge.replace('4096', '0'))).toThrow(ProtocolError);
  });
});

describe.each([
  ['PostgresWire', (port: number) => PostgresWire.connect(`postgres://u:p@127.0.0.1:${port}/d`)],
  ['RedisWire', (port: number) => RedisWire.connect(`redis://:p@127.0.0.1:${port}`)],
])('%s', (_, connect) => {
  const open: (Server | Socket)[] = [];

  afterEach(() => {
    for (const one of open.splice(0)) 'destroy' in one ? one.destroy() : one.close();
  });

  async function serverThat(answer: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      open.push(socket);
      socket.on('error', () => undefined);
      answer(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    open.push(server);
    return (server.address() as AddressInfo).port;
  }

  it('rejects with ConnectionError where nothing listens', async () => {
    await expect(connect(1)).rejects.toThrow(ConnectionError);
    await expect(connect(1)).rejects.toMatchObject({ systemCode: 'ECONNREFUSED' });
  });

  it('rejects with ConnectionError when the server hangs up', async () => {
    await expect(connect(await serverThat((socket) => socket.end()))).rejects.toThrow(ConnectionError);
    await expect(connect(await serverThat((socket) => socket.resetAndDestroy()))).rejects.toThrow(/ECONNRESET|closed/);
  });

  it('rejects with ConnectionError when the server is silent', async () => {
    await expect(connect(await serverThat(() => undefined))).rejects.toThrow(/is silent/);
  });

  it('rejects with ProtocolError when something else answers', async () => {
    const port = await serverThat((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(connect(port)).rejects.toThrow(ProtocolError);
  });
});
