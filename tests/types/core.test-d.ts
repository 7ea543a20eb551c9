import { compose, TypedEmitter, validate, withContext } from '@safla/sdk/core';
import { Coalescer, policy } from '@safla/sdk/resilience';
import { expectTypeOf } from 'vitest';
import { z } from 'zod';

expectTypeOf(validate(z.object({ age: z.coerce.number() }), {}, 'x')).resolves.toEqualTypeOf<{ age: number }>();
expectTypeOf(withContext({}, () => 1)).resolves.toEqualTypeOf<number>();
expectTypeOf(policy().execute(async () => 'a')).resolves.toEqualTypeOf<string>();
expectTypeOf(new Coalescer<boolean>().run('k', async () => true)).resolves.toEqualTypeOf<boolean>();
expectTypeOf(compose<string, number>([], async (text) => text.length)).toEqualTypeOf<
  (call: string) => Promise<number>
>();

class Source extends TypedEmitter<{ message: [text: string, at: Date]; done: [] }> {}
const source = new Source();
source.on('message', (text, at) => {
  expectTypeOf(text).toEqualTypeOf<string>();
  expectTypeOf(at).toEqualTypeOf<Date>();
});
// @ts-expect-error an event that does not exist
source.on('massage', () => undefined);
// @ts-expect-error arguments of another event
source.emit('done', 'x');
