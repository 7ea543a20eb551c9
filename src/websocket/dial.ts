import type { Duplex } from 'node:stream';
import type { ClientOptions, WebSocket } from 'ws';
import {
  type Awaitable,
  type CallOptions,
  type CallScope,
  ConfigurationError,
  ConnectionError,
  SaflaError,
} from '../core/index.js';
import { is, lazy } from '../core/internal.js';
import { checkedHeaders } from '../drivers/http/index.js';
import { codeOf, withoutPayload } from '../drivers/without-payload.js';
import type { Fresh } from './fresh.js';
import { HandshakeError } from './handshake-error.js';
import type { WSClientOptions } from './ws-options.js';

/** Where and how to connect. */
export interface Target {
  readonly name: string;
  readonly url: Fresh<string | URL>;
  readonly protocols: readonly string[];
  readonly headers: Fresh<Readonly<Record<string, string | undefined>>>;
  readonly token: Fresh<string> | undefined;
  readonly ws: WSClientOptions;
}

/** Takes the open socket and the stream below it, in the same tick: the first messages may be next. */
export type Accept<T> = (socket: WebSocket, stream: Duplex) => T;

const loadWS = lazy(() => import('ws'));
const isURL = is.url('ws:', 'wss:', 'ws+unix:');

/** @throws ConfigurationError for what is not a WebSocket URL; its text is not repeated, it may hold a token */
export function checkURL(value: unknown, field: string): void {
  isURL(value, field);
  if (new URL(String(value)).hash !== '')
    throw new ConfigurationError(`${field} must not have a fragment (#): WebSocket URLs have none`, { field });
}

/**
 * Makes one attempt: asks for URL, headers and token, connects and shakes hands. Everything is given up
 * when the scope ends.
 *
 * @throws ConnectionError, HandshakeError, ConfigurationError, ValidationError, or the scope's reason
 */
export async function dial<T>(target: Target, scope: CallScope, accept: Accept<T>): Promise<T> {
  try {
    const { WebSocket: Socket } = await scope.run(loadWS);
    const { url, options } = await scope.run(() => addressOf(target, scope));
    scope.throwIfCancelled();
    const socket = new Socket(url, [...target.protocols], options as ClientOptions);
    return await opened(socket, target.name, scope, accept);
  } catch (error) {
    if (scope.cancelled) throw scope.reason;
    throw SaflaError.is(error) ? error : unreachable(error, target.name);
  }
}

interface Address {
  readonly url: string;
  readonly options: WSClientOptions;
}

async function addressOf(target: Target, scope: CallScope): Promise<Address> {
  const { name, ws } = target;
  const [url, headers, token] = await Promise.all([
    current(target.url, scope),
    current(target.headers, scope),
    current(target.token, scope),
  ]);
  checkURL(url, `the URL of ${name}`);
  // A function that has no token must not lead to a connection without one.
  if (target.token !== undefined) is.text(token, `the token for ${name}`);
  const fields = { ...ws.headers, ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  return { url: String(url), options: { ...ws, headers: checkedHeaders(fields, `handshake with ${name}`) } };
}

async function current<T>(value: Fresh<T>, scope: CallScope): Promise<T> {
  if (typeof value !== 'function') return value;
  return (value as (options: CallOptions) => Awaitable<T>)({ signal: scope.signal });
}

function opened<T>(socket: WebSocket, name: string, scope: CallScope, accept: Accept<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let stream: Duplex | undefined;
    const off = scope.onCancel((reason) => {
      reject(reason);
      socket.terminate();
    });
    socket.on('upgrade', (response) => {
      stream = response.socket;
    });
    socket.on('unexpected-response', (request, response) => {
      reject(new HandshakeError(name, response.statusCode ?? 0));
      request.destroy();
      socket.terminate();
    });
    // It stays: a socket without one throws what happens to it later.
    socket.on('error', reject);
    socket.on('close', () => {
      off();
      reject(new ConnectionError('The connection ended during the handshake'));
    });
    socket.on('open', () => {
      off();
      if (stream) resolve(accept(socket, stream));
    });
  });
}

function unreachable(error: unknown, name: string): ConnectionError {
  const cause = error instanceof Error ? withoutPayload(error) : undefined;
  const systemCode = codeOf(error);
  // OpenSSL's own text names its source files, and not what is wrong.
  const noTLS = systemCode === 'EPROTO' && 'it speaks no TLS, or another version of it (EPROTO)';
  const why = noTLS || cause?.message || systemCode || 'the connection failed';
  return new ConnectionError(`${name} could not be reached: ${why}`, {
    ...(systemCode !== undefined && { systemCode }),
    cause,
  });
}
