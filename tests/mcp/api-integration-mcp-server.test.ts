import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import { APIIntegrationMCPServer } from '@safla/sdk/mcp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConfigurationError, UnsupportedError } from '../../src/core/index.js';

let backend: Server;
let baseURL = '';

beforeAll(async () => {
  backend = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method, url, headers } = request;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ method, url, body, authorization: headers.authorization }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => backend.once('listening', resolve));
  baseURL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
});
afterAll(() => {
  backend.closeAllConnections();
  backend.close();
});
afterEach(() => {
  delete process.env.API_BASE_URL;
  delete process.env.API_KEY;
});

describe('APIIntegrationMCPServer', () => {
  it.each([
    ['GET', undefined, ''],
    ['post', { a: 1 }, '{"a":1}'],
    ['Put', { a: 2 }, '{"a":2}'],
    ['DELETE', undefined, ''],
  ])('forwards %s', async (method, data, body) => {
    await using api = new APIIntegration(baseURL, 'k');
    const server = new APIIntegrationMCPServer(api);
    expect(await server.handleAPICall('/orders', method, data)).toMatchObject({
      method: method.toUpperCase(),
      url: '/orders',
      body,
    });
  });

  it('reads address and key from the environment when it is given nothing', async () => {
    process.env.API_BASE_URL = baseURL;
    process.env.API_KEY = 'from-the-environment';
    const answer = await new APIIntegrationMCPServer().handleAPICall('/x', 'GET');
    expect(answer).toMatchObject({ authorization: 'Bearer from-the-environment' });
  });

  it('names the variable that is not set', () => {
    expect(() => new APIIntegrationMCPServer()).toThrow(ConfigurationError);
    expect(() => new APIIntegrationMCPServer()).toThrow(/API_BASE_URL/);
    process.env.API_BASE_URL = baseURL;
    expect(() => new APIIntegrationMCPServer()).toThrow(/API_KEY/);
  });

  it.each(['PATCH', 'constructor', ''])('refuses the method %j', async (method) => {
    await using api = new APIIntegration(baseURL, 'k');
    const call = new APIIntegrationMCPServer(api).handleAPICall('/x', method);
    await expect(call).rejects.toBeInstanceOf(UnsupportedError);
    await expect(call).rejects.toThrow(`Unsupported method: ${method}`);
  });
});
