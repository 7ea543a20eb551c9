/**
 * Runs the suite http-cache-tests against an APIIntegration, in a process of its own because client and
 * server of the suite keep state in their modules: its server on loopback, its client over the fetch
 * below. Takes cache settings as JSON in its first argument, and sends the results to its parent.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration, HTTPError, NotCachedError } from '@safla/sdk/api';
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs';
import handleConfig from 'http-cache-tests/server/handle-config.mjs';
import handleState from 'http-cache-tests/server/handle-state.mjs';
import handleTest from 'http-cache-tests/server/handle-test.mjs';
import suites from 'http-cache-tests/tests/index.mjs';

/** What the suite's client asks of `fetch`. */
interface Init {
  readonly method?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

const handlers = { config: handleConfig, state: handleState, test: handleTest };
const server = createServer((request, response) => {
  const [, kind = '', ...path] = new URL(request.url ?? '', 'http://localhost').pathname.split('/');
  handlers[kind as keyof typeof handlers](path, request, response);
});
// Some answers of the suite break off on purpose, or have a wrong length.
server.on('clientError', (_, socket) => socket.destroy());
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const cache = JSON.parse(process.argv[2] ?? '{}');
// The suite counts requests: none is repeated, and failures of one test must not refuse those of another.
const api = new APIIntegration({ baseURL, cache, policy: { retry: false, breaker: false } });

/** Translates: a list of headers into an object, data into a text, errors into their status. */
async function fetchByAPI(url: string, { method = 'GET', headers = [], body }: Init = {}): Promise<unknown> {
  const fields: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    fields[key] = key in fields ? `${fields[key]}, ${value}` : value;
  }
  const options = { method, headers: fields, ...(body !== undefined && { body }) };
  const answer = await api.request(url.slice(baseURL.length), options).catch((error: unknown) => {
    if (error instanceof HTTPError) return error;
    if (error instanceof NotCachedError) return { status: error.status, data: undefined, headers: {} };
    throw error;
  });
  const { status, data } = answer;
  const fetched = new Headers();
  for (const [name, value] of Object.entries(answer.headers))
    for (const line of name === 'set-cookie' ? value.split('\n') : [value]) fetched.append(name, line);
  return { status, headers: fetched, text: async () => textOf(data) };
}

/** Parts come as bytes. */
function textOf(data: unknown = ''): string {
  return data instanceof Uint8Array ? Buffer.from(data).toString() : String(data);
}

await runTests(suites, fetchByAPI, false, baseURL);
process.send?.(getResults());
await api.close();
server.closeAllConnections();
server.close();
process.disconnect?.();
