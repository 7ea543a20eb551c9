import { withContext } from '@safla/sdk/core';
import { EventStream, parseMessage } from '@safla/sdk/events';
import { CloudEvent, HTTP, ValidationError } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** The official JavaScript SDK of CloudEvents stands for every other producer and consumer. */
describe('the CloudEvents envelope and the cloudevents package', () => {
  const name = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });

  it('is read by it as a valid event, with every attribute and the data as they were', async () => {
    await fc.assert(
      fc.asyncProperty(name, name, fc.jsonValue(), async (id, key, data) => {
        // The package drops data that is falsy: version 10 reads `false` and `0` as no data.
        const body = await published(id, key, { data });
        const read = HTTP.toEvent({
          headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
          body,
        }) as CloudEvent<unknown>;
        expect(read.validate()).toBe(true);
        const { envelope } = parseMessage(body);
        expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(JSON.stringify(envelope)));
        expect(read).toMatchObject({ id, source: '/shop', type: 'orders', partitionkey: key, correlationid: 'c-1' });
        expect(read.datacontenttype).toBe('application/json');
        expect(Math.abs(Date.parse(read.time ?? '') - Date.now())).toBeLessThan(60_000);
      }),
    );
  });

  it('reads what it writes: attributes, extensions, JSON data, text and bytes', () => {
    const data = fc.oneof(fc.jsonValue(), fc.string(), fc.uint8Array({ minLength: 1 }));
    const extension = fc.stringMatching(/^[a-z][a-z0-9]{0,19}$/).map((text) => `x${text}`);
    fc.assert(
      fc.property(name, data, extension, fc.oneof(fc.string(), fc.integer(), fc.boolean()), (id, value, ext, extra) => {
        const event = new CloudEvent({ id, source: '/other', type: 'order.paid', data: value, [ext]: extra });
        const { body } = HTTP.structured(event);
        const { envelope, data: read } = parseMessage(String(body));
        expect(envelope).toMatchObject({ specversion: '1.0', id, source: '/other', type: 'order.paid', [ext]: extra });
        if (value instanceof Uint8Array) expect(read).toEqual(Buffer.from(value));
        else expect(read).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('agrees with it on which names an extension may have', async () => {
    const { envelope } = parseMessage(await published('1', 'k', null));
    const core = ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype', 'data'];
    const extensions = Object.keys(envelope ?? {}).filter((attribute) => !core.includes(attribute));
    expect(extensions.sort()).toEqual(['correlationid', 'partitionkey']);
    for (const extension of extensions) {
      expect(new CloudEvent({ source: '/s', type: 't', [extension]: 'x' }).validate()).toBe(true);
    }
    expect(() => new CloudEvent({ source: '/s', type: 't', 'correlation-id': 'x' })).toThrow(ValidationError);
  });
});

async function published(id: string, key: string, data: unknown): Promise<string> {
  await using stream = new EventStream({ url: 'memory:', source: '/shop' });
  const drafts = [{ channel: 'orders', data, id, key }];
  const [event] = await withContext({ correlationId: 'c-1' }, () => stream.prepare(drafts));
  return event?.body ?? '';
}
