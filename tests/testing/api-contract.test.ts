import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration } from '@safla/sdk/api';
import { ConfigurationError, ValidationError } from '@safla/sdk/core';
import { type APIContractOptions, apiContract } from '@safla/sdk/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectingRunner } from './fixtures/collecting-runner.js';

const pet = {
  type: 'object',
  properties: { id: { type: 'integer' }, name: { type: 'string' }, tag: { type: 'string', nullable: true } },
  required: ['id', 'name'],
};
const json = (schema: object): object => ({ description: 'ok', content: { 'application/json': { schema } } });
const document = {
  openapi: '3.0.3',
  info: { title: 'Pets', version: '1' },
  components: { schemas: { Pet: pet } },
  paths: {
    '/pets': {
      get: {
        operationId: 'listPets',
        parameters: [
          { name: 'limit', in: 'query', required: true, schema: { type: 'integer', minimum: 2, maximum: 9 } },
        ],
        responses: { 200: json({ type: 'array', items: { $ref: '#/components/schemas/Pet' } }) },
      },
      post: {
        operationId: 'addPet',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } },
        },
        responses: { 201: json({ $ref: '#/components/schemas/Pet' }) },
      },
    },
    '/pets/{id}': {
      get: {
        operationId: 'showPet',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer' } }],
        responses: { '2XX': json({ $ref: '#/components/schemas/Pet' }) },
      },
    },
  },
};

const rex = { id: 7, name: 'Rex', tag: null };
type Answer = readonly [status: number, body: unknown];
const good: Readonly<Record<string, Answer>> = {
  'GET /pets?limit=2': [200, [rex]],
  'GET /pets/7': [200, rex],
  'POST /pets': [201, rex],
};

describe('apiContract', () => {
  let answers: Readonly<Record<string, Answer>> = good;
  let api: APIIntegration;
  const server: Server = createServer((request, response) => {
    const [status, body] = answers[`${request.method} ${request.url}`] ?? [404, { error: 'no such thing' }];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    api = new APIIntegration({
      baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      policy: { retry: false },
    });
  });

  afterAll(async () => {
    await api.close();
    server.close().closeAllConnections();
  });

  async function failures(
    changes: Record<string, Answer> = {},
    options: APIContractOptions = {},
  ): Promise<{ names: string[]; failed: Map<string, unknown> }> {
    answers = { ...good, ...changes };
    const runner = new CollectingRunner();
    apiContract(api, document, { runner, arguments: { showPet: { id: 7 } }, ...options });
    return { names: runner.tests.map(({ name }) => name), failed: await runner.failures() };
  }

  it('calls what reads, with arguments from the schemas, and says what it does not call', async () => {
    const { names, failed } = await failures();
    expect(names).toEqual([
      'calls all but POST /pets',
      'GET /pets answers as documented',
      'GET /pets/{id} answers as documented',
    ]);
    expect(failed).toEqual(new Map());
  });

  it('calls what writes when it is named', async () => {
    const { names, failed } = await failures(
      {},
      { arguments: { showPet: false, addPet: { body: { id: 7, name: 'Rex' } } } },
    );
    expect(names).toEqual([
      'calls all but GET /pets/{id}',
      'GET /pets answers as documented',
      'POST /pets answers as documented',
    ]);
    expect(failed).toEqual(new Map());
  });

  it.each<[string, Record<string, Answer>, string]>([
    ['a body that does not fit', { 'GET /pets/7': [200, { id: '7', name: 'Rex' }] }, '/id must be integer'],
    ['a part that is missing', { 'GET /pets/7': [200, { id: 7 }] }, "/ must have required property 'name'"],
    ['a status that is not documented', { 'GET /pets?limit=2': [206, [rex]] }, 'answered 206; the document names 200'],
    [
      'a refusal',
      { 'GET /pets?limit=2': [500, {}] },
      'its arguments were generated, give others: { arguments: { listPets: … } }',
    ],
  ])('fails for %s', async (_, changes, words) => {
    const { failed } = await failures(changes);
    expect(failed.size).toBe(1);
    expect(String([...failed.values()][0])).toContain(words);
  });

  it('fails for arguments of an operation that is not there, and where nothing would be called', async () => {
    const wrong = await failures({}, { arguments: { showPet: { id: 7 }, shoPet: {} } });
    expect([...wrong.failed.keys()]).toEqual(['calls all but POST /pets']);
    const none = await failures({}, { arguments: { showPet: false, listPets: false } });
    expect(none.failed.size).toBe(1);
  });

  it('refuses what is no document, unknown options, and to run without a runner', () => {
    expect(() => apiContract(api, {}, { runner: new CollectingRunner() })).toThrow(ValidationError);
    expect(() => apiContract(api, document, { args: {} } as object)).toThrow(ConfigurationError);
    expect(() => apiContract(api, document)).toThrow('@safla/sdk/testing/vitest');
  });
});
