import { type AccessPolicy, parse, SecurityIntegration, TokenService } from '@safla/sdk/security';
import { Redis } from 'ioredis';
import { expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const keys = [{ id: 'a', algorithm: 'HS256', secret: 'x' }] as const;

it('types payloads by the schema', () => {
  const schema = z.object({ sub: z.string(), roles: z.array(z.string()) });
  const make = () => new TokenService({ keys, issuer: 'a', audience: 'b', schema });
  type Verified = Awaited<ReturnType<ReturnType<typeof make>['verify']>>;
  expectTypeOf<Verified['payload']>().toEqualTypeOf<{ sub: string; roles: string[] }>();
  const bare = () => new TokenService({ keys, issuer: 'a', audience: 'b' });
  type Bare = Awaited<ReturnType<ReturnType<typeof bare>['verify']>>;
  expectTypeOf<Bare['payload']>().toEqualTypeOf<Record<string, unknown>>();
  // @ts-expect-error the schema wants roles
  void (() => make().issue({ sub: 'a' }));
});

it('promises a refresh token where one is asked for', () => {
  type Tokens = TokenService<{ sub: string }>;
  const issued = (tokens: Tokens) => tokens.issue({ sub: 'a' }, { refresh: true });
  expectTypeOf<Awaited<ReturnType<typeof issued>>['refreshToken']>().toEqualTypeOf<string>();
  expectTypeOf<Awaited<ReturnType<Tokens['refresh']>>['refreshToken']>().toEqualTypeOf<string>();
  const plain = (tokens: Tokens) => tokens.issue({ sub: 'a' }, { ttlMs: 1_000 });
  expectTypeOf<Awaited<ReturnType<typeof plain>>['refreshToken']>().toEqualTypeOf<string | undefined>();
});

it('takes an ioredis client, and nothing for an algorithm that is none', () => {
  void (() => new SecurityIntegration('x', new Redis()));
  // @ts-expect-error none is no algorithm
  void (() => new TokenService({ keys: [{ id: 'a', algorithm: 'none', secret: 'x' }], issuer: 'a', audience: 'b' }));
});

it('takes a policy for subjects and resources of its own', () => {
  type Own = AccessPolicy<{ id: string; roles: string[] }, { owner: string }>;
  void ((access: Own) => new SecurityIntegration({ access }).access);
});

it('types input by its schema, and conditions by subject and resource', () => {
  expectTypeOf(parse(z.object({ n: z.coerce.number() }), {})).resolves.toEqualTypeOf<{ n: number }>();
  expectTypeOf<Parameters<AccessPolicy<{ id: string; roles: string[] }, { owner: string }>['can']>[2]>().toEqualTypeOf<
    { owner: string } | undefined
  >();
});
