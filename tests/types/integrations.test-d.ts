import { APIIntegration, defineTool, EventBusIntegration, EventStream, LocalVectorMemory, path } from '@safla/sdk';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';

const Order = z.object({ id: z.string(), total: z.coerce.number() });

const api = new APIIntegration({ baseURL: 'https://h' });
expectTypeOf(api.request('/x')).resolves.toHaveProperty('data').toEqualTypeOf<unknown>();
expectTypeOf(api.request(path`/orders/${1}`, { schema: Order }))
  .resolves.toHaveProperty('data')
  .toEqualTypeOf<{ id: string; total: number }>();
expectTypeOf(api.get('/x')).resolves.toEqualTypeOf<unknown>();
// @ts-expect-error no key
new APIIntegration('https://h');
// @ts-expect-error an option that does not exist
new APIIntegration({ baseURL: 'https://h', tiemout: 1 });

defineTool({ name: 't', description: 'd', input: Order }, (args, context) => {
  expectTypeOf(args).toEqualTypeOf<{ id: string; total: number }>();
  expectTypeOf(context.signal).toEqualTypeOf<AbortSignal>();
  return args.id;
});
// @ts-expect-error the answer does not have the output's type
defineTool({ name: 't', description: 'd', output: z.object({ n: z.number() }) }, () => ({ n: 'x' }));

const events = new EventStream({ url: 'memory:', schemas: { 'order.paid': Order } });
events.consume('order.paid', { group: 'g' }, ({ data }) =>
  expectTypeOf(data).toEqualTypeOf<{ id: string; total: number }>(),
);
events.consume('other', { group: 'g' }, ({ data }) => expectTypeOf(data).toEqualTypeOf<unknown>());
events.consume('other', { group: 'g', schema: Order }, ({ data }) => expectTypeOf(data.total).toEqualTypeOf<number>());

new EventBusIntegration('memory:').on('event', ({ channel, event }) => {
  expectTypeOf(channel).toEqualTypeOf<string>();
  expectTypeOf(event).toEqualTypeOf<unknown>();
});

expectTypeOf(new LocalVectorMemory().retrieve('a')).resolves.toBeNullable();
