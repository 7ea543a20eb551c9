import { withContext } from '@safla/sdk/core';
import { EventStream, parseMessage } from '@safla/sdk/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** One event in the structured mode: the whole of it as one text. */
async function bodyOf(data: unknown, options: { readonly id?: string; readonly key?: string }): Promise<string> {
  await using stream = new EventStream({ url: 'memory:' });
  const drafts = [{ channel: 'orders', data, ...options }];
  const [event] = await withContext({ correlationId: 'c-1' }, () => stream.prepare(drafts));
  return event?.body ?? '';
}

describe('the CloudEvents envelope', () => {
  it('brings any JSON value, id and key back as they were', async () => {
    const name = fc.string({ minLength: 1, maxLength: 100, unit: 'binary' });
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), name, name, async (data, id, key) => {
        const parsed = parseMessage(await bodyOf(data, { id, key }));
        expect(parsed.data).toEqual(JSON.parse(JSON.stringify(data)));
        expect(parsed.envelope).toMatchObject({ id, partitionkey: key, type: 'orders', correlationid: 'c-1' });
      }),
      { numRuns: 50 },
    );
  });

  it('has the required attributes and names of lower-case letters and digits only', async () => {
    const envelope = JSON.parse(await bodyOf({ a: 1 }, {})) as Record<string, unknown>;
    for (const name of ['specversion', 'id', 'source', 'type']) expect(envelope[name]).toMatch(/./);
    for (const name of Object.keys(envelope)) expect(name).toMatch(/^[a-z0-9]+$/);
  });

  const valid = { specversion: '1.0', id: '1', source: '/s', type: 't' };

  it("reads other producers' events: extensions, null attributes, base64 data, none at all", () => {
    expect(parseMessage(JSON.stringify({ ...valid, myext: 5, subject: null, data: [1] }))).toMatchObject({
      envelope: { myext: 5, source: '/s' },
      data: [1],
    });
    expect(parseMessage(JSON.stringify({ ...valid, data_base64: 'aGk=' })).data).toEqual(Buffer.from('hi'));
    expect(parseMessage(JSON.stringify(valid))).toEqual({ envelope: valid, data: undefined });
    expect(parseMessage(JSON.stringify({ ...valid, time: '2020-02-29T23:59:59.5+01:00' })).envelope).toBeDefined();
  });

  it.each([
    ['another version', { ...valid, specversion: '0.3' }],
    ['no id', { ...valid, id: undefined }],
    ['an empty id', { ...valid, id: '' }],
    ['a numeric source', { ...valid, source: 1 }],
    ['no type', { ...valid, type: undefined }],
    ['a time that is no timestamp', { ...valid, time: 'yesterday' }],
    ['a time that does not exist', { ...valid, time: '2020-13-01T00:00:00Z' }],
    ['a correlation id that is no text', { ...valid, correlationid: 1 }],
    ['an array', [valid]],
    ['null', null],
  ])('takes %s for a message that is not ours', (_, value) => {
    expect(parseMessage(JSON.stringify(value))).toEqual({
      envelope: undefined,
      data: JSON.parse(JSON.stringify(value)),
    });
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const { envelope } = parseMessage(text);
        return envelope === undefined || envelope.specversion === '1.0';
      }),
    );
  });
});
