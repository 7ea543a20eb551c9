/**
 * An OpenAPI document becomes functions that check their arguments, with the schemas a model needs to call
 * them. The server is a small one on loopback; the token comes from it too.
 *
 *     npx tsx examples/openapi-operations.ts
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { APIIntegration, OAuth2Error } from '@safla/sdk/api';
import { ValidationError } from '@safla/sdk/core';

/** Usually read from a file: `JSON.parse(await readFile('openapi.json', 'utf8'))`. */
const document = {
  openapi: '3.0.3',
  info: { title: 'Pets', version: '1.0.0' },
  // Where a document says its servers are does not decide where requests go.
  servers: [{ url: 'https://elsewhere.example' }],
  paths: {
    '/pets': {
      get: {
        operationId: 'findPets',
        summary: 'Find pets',
        parameters: [
          {
            name: 'tag',
            in: 'query',
            style: 'form',
            explode: false,
            schema: { type: 'array', items: { type: 'string' } },
          },
          { name: 'born', in: 'query', style: 'deepObject', schema: { type: 'object' } },
        ],
        responses: {
          200: {
            content: { 'application/json': { schema: { type: 'array', items: { $ref: '#/components/schemas/Pet' } } } },
          },
        },
      },
      post: {
        operationId: 'addPet',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/Pet' } } },
        },
      },
    },
    '/pets/{petId}': { delete: { operationId: 'removePet' } },
    '/other': { get: { parameters: [{ $ref: 'shared.yaml#/page' }] } },
  },
  components: {
    schemas: {
      Pet: {
        type: 'object',
        required: ['id', 'name'],
        properties: {
          id: { type: 'integer', readOnly: true },
          name: { type: 'string' },
          mother: { $ref: '#/components/schemas/Pet' },
          nickname: { type: 'string', nullable: true },
        },
      },
    },
  },
};

const asked: string[] = [];
let revoked = false;
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const answer = (status: number, data: unknown): unknown =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(data));
  if (request.url === '/token') {
    if (!body.includes('scope=pets')) return answer(400, { error: 'invalid_scope' });
    revoked = false;
    return answer(200, { access_token: `t${asked.length}`, token_type: 'bearer', expires_in: 3600 });
  }
  if (revoked) return answer(401, { error: 'invalid_token' });
  asked.push(`${request.method} ${request.url} ${body}`.trim());
  return answer(200, { ok: true });
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const auth = {
  type: 'oauth2',
  tokenURL: `${origin}/token`,
  clientId: 'demo',
  clientSecret: 'secret',
  scopes: ['pets'],
} as const;
await using pets = new APIIntegration({ baseURL: `${origin}/v1`, auth });

const operations = pets.operations(document);
for (const { name, method, path, annotations } of operations)
  console.log(
    `${name.padEnd(10)} ${method.padEnd(6)} ${path.padEnd(14)} ${annotations.readOnlyHint ? 'reads' : 'writes'}`,
  );
for (const { method, path, reason } of operations.unsupported) console.log(`left out   ${method} ${path}: ${reason}`);
assert.deepEqual([operations.size, operations.unsupported.length], [3, 1]);

// What a model is told: self-contained, in today's JSON Schema, without what only the server may set.
const { input } = operations.get('addPet');
console.log(JSON.stringify(input));
assert.deepEqual(input.$defs?.Pet, {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, mother: { $ref: '#/$defs/Pet' }, nickname: { type: ['string', 'null'] } },
});

// Arguments go where and how the document says, whatever is in them.
await operations.get('findPets').call({ tag: ['a,b', 'c'], born: { from: 2020, to: 2026 } });
await operations.get('addPet').call({ body: { name: 'Rex' } });
await operations.get('removePet').call({ petId: '7/../../admin' });
console.log(asked.join('\n'));
assert.deepEqual(asked, [
  'GET /v1/pets?tag=a%2Cb,c&born%5Bfrom%5D=2020&born%5Bto%5D=2026',
  'POST /v1/pets {"name":"Rex"}',
  'DELETE /v1/pets/7%2F..%2F..%2Fadmin',
]);

// Mistakes are named before anything is sent.
const mistake = await operations
  .get('removePet')
  .call({ petid: '7' })
  .catch((error: unknown) => error);
assert.ok(mistake instanceof ValidationError);
console.log(mistake.message);

// A token that was revoked is replaced once, and the request sent again.
revoked = true;
const { attempts } = await operations.get('removePet').call({ petId: '8' });
assert.equal(attempts, 2);

await using wrong = new APIIntegration({ baseURL: `${origin}/v1`, auth: { ...auth, scopes: ['cats'] } });
const refused = await wrong.get('/pets').catch((error: unknown) => error);
assert.ok(refused instanceof OAuth2Error);
console.log(refused.message);

await Promise.all([pets.close(), wrong.close()]);
server.close();
