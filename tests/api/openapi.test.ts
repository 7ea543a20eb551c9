import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { APIIntegration, type APIOperation } from '@safla/sdk/api';
import { NotFoundError, ValidationError } from '@safla/sdk/core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

const api = new APIIntegration({ baseURL: 'https://api.example' });
const folder = dirname(createRequire(import.meta.url).resolve('@readme/oas-examples/package.json'));

const files = (version: string): string[] =>
  readdirSync(join(folder, version, 'json'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, version, 'json', name));

const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** The operations of one path with one method. */
const only = (operation: object, rest: object = {}, version = '3.1.0'): APIOperation => {
  const { operations } = document({ '/x': { post: { operationId: 'x', ...operation } } }, rest, version);
  return operations.get('x');
};

const document = (paths: object, rest: object = {}, version = '3.1.0') => {
  const operations = api.operations({ openapi: version, info: { title: 't', version: '1' }, paths, ...rest });
  return { operations, unsupported: operations.unsupported };
};

const json = (schema: unknown, required = true): object => ({
  requestBody: { required, content: { 'application/json': { schema } } },
});

describe('every OpenAPI 3.x document of @readme/oas-examples', () => {
  const documents = [...files('3.0'), ...files('3.1')];

  it('loads, and each operation becomes a tool with a valid, self-contained schema', () => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    let operations = 0;
    for (const file of documents) {
      const set = api.operations(read(file));
      expect([file, set.unsupported]).toEqual([file, []]);
      const names = [...set].map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, description, input, output } of set) {
        expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(description).not.toBe('');
        for (const key of Object.keys(input.properties)) expect(key).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        ajv.compile(input);
        if (output !== undefined) ajv.compile(output);
      }
      operations += set.size;
    }
    expect([documents.length, operations]).toEqual([63, 643]);
  });

  it.each(files('2.0'))('%s, which is Swagger 2.0, is refused by name', (file) => {
    expect(() => api.operations(read(file))).toThrow(/Swagger 2.0/);
  });
});

describe('operations', () => {
  it('say what they are', () => {
    const { operations } = document(
      {
        '/pets/{id}': {
          summary: 'A pet',
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'integer' }, description: 'Which pet' },
          ],
          get: {
            operationId: 'show pet!',
            summary: 'Show',
            description: 'Shows a pet',
            tags: ['pets'],
            deprecated: true,
          },
          delete: { security: [] },
          put: { security: [{ key: [] }, { oauth: ['write'], key: [] }] },
        },
      },
      { security: [{ key: [] }] },
    );
    expect(operations.size).toBe(3);
    const { call, ...show } = operations.get('show_pet');
    expect(call).toBeTypeOf('function');
    expect(show).toEqual({
      name: 'show_pet',
      title: 'Show',
      description: 'Show\n\nShows a pet',
      method: 'GET',
      path: '/pets/{id}',
      tags: ['pets'],
      deprecated: true,
      input: {
        type: 'object',
        properties: { id: { type: 'integer', description: 'Which pet' } },
        required: ['id'],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      security: [['key']],
    });
    expect(operations.get('delete_pets_id').security).toEqual([]);
    expect(operations.get('put_pets_id')).toMatchObject({
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true },
      security: [['key'], ['oauth', 'key']],
    });
    expect(() => operations.get('show_pets')).toThrow(NotFoundError);
    expect(() => operations.get('show_pets')).toThrow(/did you mean 'show_pet'/);
  });

  it('have unique names of at most 64 characters, the same each time', () => {
    const long = `do${'VeryLong'.repeat(12)}`;
    const make = () =>
      document({
        '/a': { get: { operationId: 'same' }, post: { operationId: 'same' } },
        '/b': { get: { operationId: `${long}A` }, post: { operationId: `${long}B` } },
        '/c': { get: { operationId: '日本' }, post: { operationId: '' } },
      }).operations;
    const names = [...make()].map(({ name }) => name);
    expect(new Set(names).size).toBe(6);
    expect(names.every((name) => /^[a-zA-Z0-9_-]{1,64}$/.test(name))).toBe(true);
    expect([...make()].map(({ name }) => name)).toEqual(names);
  });

  it('have an argument for every name in the path, and for names that stand in two places', () => {
    const { operations } = document({
      '/a/{id}/{forgotten}': {
        get: {
          operationId: 'a',
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
            { name: 'id', in: 'query', schema: { type: 'string' } },
            { name: 'nowhere', in: 'path', required: true, schema: { type: 'string' } },
            { name: 'filter[name]', in: 'query' },
            { name: 'ids[]', in: 'query', schema: { type: 'array' } },
          ],
        },
      },
    });
    const { properties, required } = operations.get('a').input;
    expect(Object.keys(properties)).toEqual(['id', 'query_id', 'filter_name', 'ids', 'forgotten']);
    expect(required).toEqual(['id', 'forgotten']);
  });

  it('have no arguments for credentials', () => {
    const securitySchemes = {
      key: { type: 'apiKey', in: 'header', name: 'X-Api-Key' },
      query: { type: 'apiKey', in: 'query', name: 'api_key' },
      cookie: { type: 'apiKey', in: 'cookie', name: 'sid' },
    };
    const parameters = [
      ...['X-Api-Key', 'Authorization', 'Content-Type', 'Accept', 'Host', 'X-Request'].map((name) => ({
        name,
        in: 'header',
      })),
      { name: 'api_key', in: 'query' },
      { name: 'sid', in: 'cookie' },
    ];
    const { input } = only({ parameters }, { components: { securitySchemes } });
    expect(Object.keys(input.properties)).toEqual(['X-Request']);
  });

  it('write the schemas of OpenAPI 3.0 in the words of JSON Schema 2020-12', () => {
    const schema = {
      type: 'object',
      required: ['a', 'id'],
      properties: {
        a: { type: 'string', nullable: true, enum: ['x', 'y'] },
        b: { type: 'number', minimum: 1, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
        c: { $ref: '#/components/schemas/C', nullable: true },
        d: { type: 'string', format: 'byte', example: 'QQ==', discriminator: { propertyName: 'x' }, 'x-y': 1 },
        id: { type: 'string', readOnly: true },
        e: { type: 'string', pattern: '[' },
      },
    };
    const components = { schemas: { C: { type: 'object', xml: {} } } };
    const { input } = only(json(schema), { components }, '3.0.3');
    expect(input).toEqual({
      type: 'object',
      properties: {
        body: {
          type: 'object',
          required: ['a'],
          properties: {
            a: { type: ['string', 'null'], enum: ['x', 'y', null] },
            b: { type: 'number', exclusiveMinimum: 1, maximum: 9 },
            c: { anyOf: [{ $ref: '#/$defs/C' }, { type: 'null' }] },
            d: { type: 'string', contentEncoding: 'base64', examples: ['QQ=='] },
            e: { type: 'string' },
          },
        },
      },
      required: ['body'],
      additionalProperties: false,
      $defs: { C: { type: 'object' } },
    });
  });

  it('carry circular schemas whole', () => {
    const components = {
      schemas: {
        Node: {
          type: 'object',
          properties: { next: { $ref: '#/components/schemas/Node' }, tree: { $ref: '#/components/schemas/Tree' } },
        },
        Tree: { type: 'array', items: { $ref: '#/components/schemas/Node' } },
        Other: { type: 'string' },
      },
    };
    const { input } = only(json({ $ref: '#/components/schemas/Node' }), { components });
    expect(Object.keys(input.$defs ?? {}).sort()).toEqual(['Node', 'Tree']);
    const check = new Ajv2020().compile(input);
    expect(check({ body: { next: { next: { tree: [{ next: {} }] } } } })).toBe(true);
    expect(check({ body: { tree: [{ next: 5 }] } })).toBe(false);
  });

  it('leave out what the server must not be given, and from answers what it must not give', () => {
    const schema = { type: 'object', properties: { id: { readOnly: true }, password: { writeOnly: true }, name: {} } };
    const operation = only({ ...json(schema), responses: { 201: { content: { 'application/json': { schema } } } } });
    expect(operation.input.properties.body).toEqual({ type: 'object', properties: { password: {}, name: {} } });
    expect(operation.output).toEqual({ type: 'object', properties: { id: {}, name: {} } });
  });

  it.each<[string, object, RegExp]>([
    ['a reference to another file', json({ $ref: 'other.yaml#/X' }), /'other\.yaml#\/X' leaves the document/],
    ['a reference to the network', json({ $ref: 'https://evil.example/x.json' }), /leaves the document/],
    ['a reference to nothing', json({ $ref: '#/components/schemas/No' }), /leads nowhere/],
    ['a parameter of another file', { parameters: [{ $ref: 'p.yaml' }] }, /leaves the document/],
    ['a reference to itself', json({ $ref: '#/components/schemas/Loop' }), /leads back to itself/],
    ['prototype pollution', json({ $ref: '#/constructor/prototype' }), /leads nowhere/],
    ['$dynamicRef', json({ $dynamicRef: '#x' }), /dynamicRef/],
    ['a body of nothing', { requestBody: { content: {} } }, /no content/],
    ['a parameter nowhere', { parameters: [{ name: 'x', in: 'body' }] }, /no place/],
    ['no operation', [] as unknown as object, /not an object/],
  ])('name %s as unsupported and leave the others', (_, operation, reason) => {
    const components = {
      schemas: { Loop: { $ref: '#/components/schemas/Loop2' }, Loop2: { $ref: '#/components/schemas/Loop' } },
    };
    const broken = Array.isArray(operation) ? operation : { operationId: 'x', ...operation };
    const { operations, unsupported } = document(
      { '/x': { post: broken, get: {} }, 'x-ext': 1, y: { get: {} } },
      { components },
    );
    expect([...operations].map(({ name }) => name)).toEqual(['get_x']);
    expect(unsupported).toEqual([
      { method: 'POST', path: '/x', reason: expect.stringMatching(reason) },
      { method: 'GET', path: 'y', reason: expect.stringMatching(/slash/) },
    ]);
  });

  it.each([
    null,
    'openapi: 3.0.0',
    [],
    {},
    { openapi: '4.0.0' },
    { openapi: 3 },
    { swagger: '2.0' },
    { openapi: '3.0.0', paths: [] },
  ])('are refused in %j', (source) => {
    expect(() => api.operations(source)).toThrow(ValidationError);
  });

  it('are bounded against documents made to overflow', () => {
    let deep: object = {};
    for (let level = 0; level < 5_000; level++) deep = { type: 'array', items: deep };
    const wide: Record<string, object> = {};
    for (let index = 0; index < 30_000; index++) wide[`p${index}`] = {};
    const cyclic: Record<string, unknown> = { type: 'object' };
    cyclic.properties = { a: cyclic, b: cyclic };
    for (const schema of [deep, { properties: wide }, cyclic]) {
      const { unsupported } = document({ '/x': { post: json(schema) } });
      expect(unsupported[0]?.reason).toMatch(/nested deeper|more than/);
    }
    const chain: Record<string, object> = {};
    for (let index = 0; index < 2_000; index++)
      chain[`S${index}`] = { properties: { next: { $ref: `#/components/schemas/S${index + 1}` } } };
    chain.S2000 = {};
    const { input } = only(json({ $ref: '#/components/schemas/S0' }), { components: { schemas: chain } });
    expect(Object.keys(input.$defs ?? {})).toHaveLength(2_001);
  });

  it('of large documents share the work on shared schemas', () => {
    const schemas: Record<string, object> = {};
    for (let index = 0; index < 300; index++) {
      const properties = Object.fromEntries(
        Array.from({ length: 20 }, (_, n) => [
          `p${n}`,
          n === 0 ? { $ref: `#/components/schemas/S${(index * 7 + 1) % 300}` } : { type: 'string' },
        ]),
      );
      schemas[`S${index}`] = { type: 'object', properties };
    }
    const paths = Object.fromEntries(
      Array.from({ length: 1_500 }, (_, n) => [
        `/r${n}/{id}`,
        { post: { ...json({ $ref: `#/components/schemas/S${n % 300}` }), parameters: [{ name: 'id', in: 'path' }] } },
      ]),
    );
    const startedAt = process.cpuUsage().user;
    expect(document(paths, { components: { schemas } }).operations.size).toBe(1_500);
    // Without sharing it is half a million schemas; with it, a few hundred milliseconds at the most.
    expect(process.cpuUsage().user - startedAt).toBeLessThan(5_000_000);
  });
});
