import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { CallScope, ConnectionError } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/testing/services/launch/folders.js';
import type { ServerCommand } from '../../src/testing/services/launch/server-process.js';
import { startOnFreePort } from '../../src/testing/services/launch/start-on-free-port.js';
import { Watchdog } from '../../src/testing/services/launch/watchdog.js';
import { ownTemporaryFolder } from './helpers.js';

describe('startOnFreePort', () => {
  const parent = ownTemporaryFolder();
  const watchdog = new Watchdog();
  const scope = new CallScope('test');

  /** A server that behaves like those we start: it says which process it is, and ends when its port is taken. */
  const program = `require('http').createServer((_, answer) => answer.end(String(process.pid))).listen(+process.argv[1], '127.0.0.1')`;

  function command(folder: string, port: number): ServerCommand {
    const signals = { polite: 'SIGTERM', immediate: 'SIGKILL' } as const;
    return { file: process.execPath, args: ['-e', program, String(port)], folder, identity: {}, signals };
  }

  async function probe(port: number, pid: number): Promise<true | undefined> {
    const answer = await fetch(`http://127.0.0.1:${port}`).then(
      (response) => response.text(),
      () => '',
    );
    return answer === String(pid) ? true : undefined;
  }

  it('starts again on another port when somebody took the first one, and never takes a stranger for the server', async () => {
    const stranger = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const taken = (stranger.address() as AddressInfo).port;
    const folder = await temporaryFolder(parent.path, {}, watchdog);
    const ports: number[] = [];
    const server = await startOnFreePort({
      command(port) {
        ports.push(ports.length === 0 ? taken : port);
        return command(folder.path, ports.at(-1) ?? 0);
      },
      probe: (port, pid) => probe(ports.at(-1) ?? port, pid),
      scope,
      watchdog,
    });
    expect(ports).toEqual([taken, server.port]);
    await server.process.stop();
    await folder.remove();
    stranger.close();
  });

  it('gives up after five taken ports, with the log', async () => {
    const stranger = createServer();
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const taken = (stranger.address() as AddressInfo).port;
    const folder = await temporaryFolder(parent.path, {}, watchdog);
    let starts = 0;
    const start = startOnFreePort({
      command() {
        starts++;
        return command(folder.path, taken);
      },
      probe,
      scope,
      watchdog,
    });
    await expect(start).rejects.toThrow(/ended with code 1:[\s\S]*EADDRINUSE/);
    expect(starts).toBe(5);
    await folder.remove();
    stranger.close();
  });

  it('does not start again a program that ends for another reason', async () => {
    const folder = await temporaryFolder(parent.path, {}, watchdog);
    let starts = 0;
    const start = startOnFreePort({
      command(port) {
        starts++;
        return { ...command(folder.path, port), args: ['-e', 'console.error("bad setting"); process.exit(4)'] };
      },
      probe,
      scope,
      watchdog,
    });
    await expect(start).rejects.toThrow(/ended with code 4:\nbad setting/);
    expect(starts).toBe(1);
    await folder.remove();
  });

  it('fails at once when the program cannot be run', async () => {
    const folder = await temporaryFolder(parent.path, {}, watchdog);
    const start = startOnFreePort({
      command: () => ({ ...command(folder.path, 0), file: '/nonexistent/server' }),
      probe,
      scope,
      watchdog,
    });
    await expect(start).rejects.toThrow(ConnectionError);
    await expect(start).rejects.toMatchObject({ systemCode: 'ENOENT' });
    await folder.remove();
  });
});
