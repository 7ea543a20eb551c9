import { APIIntegration, path } from '@safla/sdk/api';
import { apiTools } from '@safla/sdk/mcp';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';

interface Pet {
  id: number;
  name: string;
}
interface NewPet {
  name: string;
}

/** As openapi-typescript 7 writes it. */
interface paths {
  '/pets': {
    parameters: { query?: never; header?: never; path?: never; cookie?: never };
    get: {
      parameters: { query?: { limit?: number; tags?: string[] }; header?: never; path?: never; cookie?: never };
      requestBody?: never;
      responses: {
        200: { headers: { [name: string]: unknown }; content: { 'application/json': Pet[] } };
        default: { headers: { [name: string]: unknown }; content: { 'application/json': { error: string } } };
      };
    };
    put?: never;
    post: {
      parameters: { query?: never; header?: never; path?: never; cookie?: never };
      requestBody: { content: { 'application/json': NewPet; 'multipart/form-data': NewPet } };
      responses: {
        201: { headers: { [name: string]: unknown }; content: { 'application/json': Pet } };
        204: { headers: { [name: string]: unknown }; content?: never };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/pets/mine': {
    parameters: { query?: never; header?: never; path?: never; cookie?: never };
    get: {
      parameters: { query: { owner: string }; header?: never; path?: never; cookie?: never };
      requestBody?: never;
      responses: { 200: { headers: { [name: string]: unknown }; content: { 'text/plain': string } } };
    };
    put?: never;
  };
  '/pets/{petId}': {
    parameters: { query?: never; header?: never; path: { petId: number }; cookie?: never };
    get: operations['showPet'];
    put?: never;
    delete: {
      parameters: { query?: never; header?: never; path: { petId: number }; cookie?: never };
      requestBody?: never;
      responses: { 204: { headers: { [name: string]: unknown }; content?: never } };
    };
    patch: {
      parameters: { query?: never; header?: never; path: { petId: number }; cookie?: never };
      requestBody?: { content: { 'application/merge-patch+json': Partial<NewPet> } };
      responses: { default: { headers: { [name: string]: unknown }; content: { 'application/json': Pet } } };
    };
  };
  '/pets/{petId}/photo': {
    parameters: { query?: never; header?: never; path: { petId: number }; cookie?: never };
    get: {
      parameters: { query?: never; header?: never; path: { petId: number }; cookie?: never };
      requestBody?: never;
      responses: { 200: { headers: { [name: string]: unknown }; content: { 'image/png': string } } };
    };
  };
  /** As version 6 writes it, without members for what is not there. */
  '/repos/{owner}/{repo}/issues': {
    get: {
      parameters: { path: { owner: string; repo: string }; query?: { state?: 'open' | 'closed' } };
      responses: {
        200: { content: { 'application/json': { number: number }[] } };
        404: { content: { 'application/json': { message: string } } };
      };
    };
    post: {
      parameters: { path: { owner: string; repo: string } };
      requestBody: { content: { 'application/json': { title: string | number; labels?: string[] } } };
      responses: { 201: { content: { 'application/json': { number: number } } } };
    };
  };
}
interface operations {
  showPet: {
    parameters: { query?: never; header?: never; path: { petId: number }; cookie?: never };
    requestBody?: never;
    responses: { 200: { headers: { [name: string]: unknown }; content: { 'application/json': Pet } } };
  };
}

declare const id: number;
declare const link: string;

const pets = new APIIntegration<paths>({ baseURL: 'https://h' });
const dataOf = async <T>(response: Promise<{ readonly data: T }>): Promise<T> => (await response).data;

// Data by path and method.
expectTypeOf(dataOf(pets.request('/pets'))).resolves.toEqualTypeOf<Pet[]>();
expectTypeOf(dataOf(pets.request('/pets', { query: { limit: 5 }, timeoutMs: 1 }))).resolves.toEqualTypeOf<Pet[]>();
expectTypeOf(dataOf(pets.request('/pets', { method: 'GET' }))).resolves.toEqualTypeOf<Pet[]>();
expectTypeOf(dataOf(pets.request('/pets/{petId}', { params: { petId: 7 } }))).resolves.toEqualTypeOf<Pet>();
expectTypeOf(dataOf(pets.request('/pets', { method: 'POST', body: { name: 'Rex' } }))).resolves.toEqualTypeOf<
  Pet | undefined
>();
expectTypeOf(dataOf(pets.request('/pets', { method: 'POST', body: new FormData() }))).resolves.toEqualTypeOf<
  Pet | undefined
>();
expectTypeOf(
  dataOf(pets.request('/pets/{petId}', { method: 'DELETE', params: { petId: 7 } })),
).resolves.toEqualTypeOf<undefined>();
expectTypeOf(
  dataOf(pets.request('/pets/{petId}', { method: 'PATCH', params: { petId: 7 } })),
).resolves.toEqualTypeOf<Pet>();
expectTypeOf(dataOf(pets.request('/pets/mine', { query: { owner: 'me' } }))).resolves.toEqualTypeOf<string>();

const repo = { owner: 'o', repo: 'r' };
const issues = '/repos/{owner}/{repo}/issues';
expectTypeOf(dataOf(pets.request(issues, { params: repo, query: { state: 'open' } }))).resolves.toEqualTypeOf<
  { number: number }[]
>();
expectTypeOf(
  dataOf(pets.request(issues, { method: 'POST', params: repo, body: { title: 'T' } })),
).resolves.toEqualTypeOf<{ number: number }>();
// @ts-expect-error a value that is not one of the list
pets.request(issues, { params: repo, query: { state: 'shut' } });

// Paths that are filled in: the literal wins over the template, segment by segment.
expectTypeOf(dataOf(pets.request(`/pets/${id}`))).resolves.toEqualTypeOf<Pet>();
expectTypeOf(dataOf(pets.request('/pets/7'))).resolves.toEqualTypeOf<Pet>();
expectTypeOf(dataOf(pets.request(`/pets/${id}/photo`))).resolves.toEqualTypeOf<Uint8Array>();

// Texts that are not known before: links, and what `path` makes.
expectTypeOf(dataOf(pets.request(link))).resolves.toEqualTypeOf<unknown>();
expectTypeOf(dataOf(pets.request(path`/pets/${id}`))).resolves.toEqualTypeOf<unknown>();
expectTypeOf(dataOf(pets.request('/pets', { schema: z.array(z.string()) }))).resolves.toEqualTypeOf<string[]>();

// @ts-expect-error a path that is not in the document
pets.request('/pet');
// @ts-expect-error a method the path does not have
pets.request('/pets', { method: 'DELETE' });
// @ts-expect-error a query it does not know
pets.request('/pets', { query: { limt: 5 } });
// @ts-expect-error a value of the wrong type
pets.request('/pets', { query: { limit: 'many' } });
// @ts-expect-error a query that is required
pets.request('/pets/mine');
// @ts-expect-error parameters that are required
pets.request('/pets/{petId}');
// @ts-expect-error a parameter of the wrong type
pets.request('/pets/{petId}', { params: { petId: 'x' } });
// @ts-expect-error a body of the wrong type
pets.request('/pets', { method: 'POST', body: { nme: 'Rex' } });
// @ts-expect-error a body that is required
pets.request('/pets', { method: 'POST' });
// @ts-expect-error a body where none is
pets.request('/pets', { body: {} });

// It stands wherever an API without types does.
const plain: Pick<APIIntegration, 'get' | 'stream' | 'paginate' | 'close'> = pets;
expectTypeOf(plain.get('/x')).resolves.toEqualTypeOf<unknown>();
apiTools(pets);

// Without types nothing changes.
const api = new APIIntegration({ baseURL: 'https://h' });
expectTypeOf(api).toEqualTypeOf<APIIntegration>();
expectTypeOf(dataOf(api.request('/x'))).resolves.toEqualTypeOf<unknown>();
expectTypeOf(dataOf(api.request(`/x/${id}`, { method: 'POST', body: 5 }))).resolves.toEqualTypeOf<unknown>();
expectTypeOf(dataOf(api.request('/x', { schema: z.object({ id: z.coerce.number() }) }))).resolves.toEqualTypeOf<{
  id: number;
}>();
declare const method: string;
expectTypeOf(dataOf(api.request(link, { method }))).resolves.toEqualTypeOf<unknown>();
interface Order {
  readonly total: number;
}
expectTypeOf(dataOf(api.request<Order>(link, { method: 'POST' }))).resolves.toEqualTypeOf<Order>();
expectTypeOf(api.get<Order>('/x')).resolves.toEqualTypeOf<Order>();
expectTypeOf(api.post<Order>('/x', {})).resolves.toEqualTypeOf<Order>();
expectTypeOf(dataOf(pets.request<Order>('/not-in-the-document'))).resolves.toEqualTypeOf<Order>();
// @ts-expect-error a type is named where it is meant, not taken from where the data goes
const order: Promise<Order> = api.get('/x');
void order;
