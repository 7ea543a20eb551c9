import { UnsupportedError } from '@safla/sdk/core';
import { type JSONSchema, schemaCounterexamples, schemaExample } from '@safla/sdk/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { patternExample } from '../../src/testing/schema/pattern-example.js';

const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false, ownProperties: true });

function expectValid(schema: JSONSchema): void {
  for (const optional of [false, true]) {
    const value = schemaExample(schema, { optional });
    expect(ajv.validate(schema, value), `${JSON.stringify(schema)} refuses ${JSON.stringify(value)}`).toBe(true);
  }
}

/** Of a property. ajv overlooks an empty name that is required, and __proto__ where it is listed. */
const name = fc.string().filter((text) => text !== '' && text !== '__proto__');

/** Schemas that something fits. */
const schemas = fc.letrec<{ schema: JSONSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    fc.constant<JSONSchema>(true),
    fc.constantFrom<JSONSchema>({ type: 'boolean' }, { type: 'null' }, {}, { type: ['string', 'null'] }),
    fc.record({ enum: fc.array(fc.jsonValue(), { minLength: 1 }) }),
    fc.record({ const: fc.jsonValue() }),
    fc
      .tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(1e6), fc.constantFrom('integer', 'number'))
      .map(([minimum, size, type]) => ({ type, minimum, maximum: minimum + size })),
    fc
      .tuple(fc.integer({ min: -100, max: 100 }), fc.constantFrom('integer', 'number'))
      .map(([exclusiveMinimum, type]) => ({ type, exclusiveMinimum, exclusiveMaximum: exclusiveMinimum + 3 })),
    fc
      .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: -100, max: 100 }))
      .map(([multipleOf, minimum]) => ({ type: 'number', multipleOf, minimum })),
    fc
      .tuple(fc.nat(20), fc.nat(20))
      .map(([minLength, more]) => ({ type: 'string', minLength, maxLength: minLength + more })),
    fc.constantFrom('date', 'date-time', 'email', 'uuid', 'uri', 'x-own').map((format) => ({ type: 'string', format })),
    fc
      .tuple(tie('schema'), fc.nat(3), fc.nat(3))
      .map(([items, minItems, more]) => ({ type: 'array', items, minItems, maxItems: minItems + more })),
    fc
      .tuple(fc.array(tie('schema'), { minLength: 1, maxLength: 3 }), tie('schema'))
      .map(([prefixItems, items]) => ({ type: 'array', prefixItems, items })),
    fc.tuple(tie('schema'), tie('schema')).map((anyOf) => ({ anyOf })),
    fc.tuple(fc.dictionary(name, tie('schema'), { maxKeys: 4 }), fc.boolean()).map(([properties, closed]) => ({
      type: 'object',
      properties,
      required: Object.keys(properties).filter((_, index) => index % 2 === 0),
      ...(closed ? { additionalProperties: false } : {}),
    })),
  ),
}));

describe('schemaExample', () => {
  it('gives what the schema accepts, by ajv', () => {
    fc.assert(fc.property(schemas.schema, expectValid));
  });

  it.each<[string, JSONSchema]>([
    [
      'a reference',
      { $defs: { id: { type: 'integer', minimum: 7 } }, properties: { id: { $ref: '#/$defs/id' } }, required: ['id'] },
    ],
    ['a tree', { $defs: { n: { type: 'object', properties: { next: { $ref: '#/$defs/n' } } } }, $ref: '#/$defs/n' }],
    [
      'allOf',
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { b: { type: 'null' } }, required: ['b'] },
        ],
      },
    ],
    [
      'oneOf beside properties',
      {
        type: 'object',
        properties: { kind: { enum: ['a', 'b'] } },
        required: ['kind'],
        oneOf: [{ required: ['x'] }, { required: ['y'] }],
      },
    ],
    ['unique items', { type: 'array', items: { type: 'string' }, minItems: 3, uniqueItems: true }],
    ['unique items of a list', { type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true }],
    ['contains', { type: 'array', contains: { const: 5 } }],
    ['a number of properties', { type: 'object', minProperties: 2, additionalProperties: { type: 'integer' } }],
    ['a pattern', { type: 'string', pattern: '^[A-Z]{3}-\\d{4}$' }],
    ['a pattern and a length', { type: 'string', pattern: '^[a-z]+$', minLength: 12 }],
    ['a fraction', { type: 'number', multipleOf: 0.25, exclusiveMinimum: 0, maximum: 0.4 }],
    ['integers in steps of 2.5', { type: 'integer', multipleOf: 2.5, minimum: 1 }],
    ['examples', { type: 'string', pattern: '^(?=x)', examples: ['x1'] }],
    ['a default', { type: 'array', default: [1] }],
  ])('knows %s', (_, schema) => expectValid(schema));

  it('gives a property that is called __proto__', () => {
    const schema = JSON.parse('{"properties":{"__proto__":{"type":"null"}},"required":["__proto__"]}') as JSONSchema;
    expect(JSON.stringify(schemaExample(schema))).toBe('{"__proto__":null}');
  });

  it('reads the schemas of zod', () => {
    const Order = z.object({
      id: z.uuid(),
      at: z.iso.datetime(),
      lines: z
        .array(
          z.object({
            sku: z
              .string()
              .min(3)
              .regex(/^[A-Z]\d+$/),
            count: z.int().positive(),
          }),
        )
        .min(1),
      note: z.string().nullable().optional(),
      kind: z.discriminatedUnion('type', [
        z.object({ type: z.literal('gift'), to: z.email() }),
        z.object({ type: z.literal('own') }),
      ]),
      tags: z.record(z.string(), z.number()),
    });
    for (const optional of [false, true]) {
      expect(() => Order.parse(schemaExample(z.toJSONSchema(Order) as JSONSchema, { optional }))).not.toThrow();
    }
  });

  it.each<[JSONSchema, string]>([
    [false, 'it is false'],
    [{ type: 'integer', minimum: 3, maximum: 2 }, 'No number'],
    [{ $ref: '#/nowhere' }, "'#/nowhere'"],
    [{ $ref: 'https://example.com/x' }, 'not in the document'],
    [{ type: 'widget' }, '"widget"'],
    [{ type: 'string', pattern: '^(?=x)y$' }, 'No text'],
    [
      {
        $defs: { n: { type: 'object', properties: { n: { $ref: '#/$defs/n' } }, required: ['n'] } },
        $ref: '#/$defs/n',
      },
      'itself',
    ],
  ])('says of %j why it has no example', (schema, words) => {
    expect(() => schemaExample(schema)).toThrow(UnsupportedError);
    expect(() => schemaExample(schema)).toThrow(words);
  });
});

describe('patternExample', () => {
  it.each([
    '^a|b$',
    '\\d{3}',
    '(foo|bar)+',
    '[^a-z]',
    '[\\w.]+@[\\w.]+',
    '^\\p{L}+$',
    '(?:x(?<y>z)?){2,}',
    '^$',
    '\\u0041',
    'a.c',
    '[\\]]',
    '^#[0-9a-f]{6}$',
    'x*?y',
  ])('matches %s', (pattern) => expect(patternExample(pattern)).toMatch(new RegExp(pattern, 'u')));
});

describe('schemaCounterexamples', () => {
  it('gives objects that the schema refuses, by ajv', () => {
    const object = fc.dictionary(name, schemas.schema, { maxKeys: 4 }).map((properties) => ({
      type: 'object',
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    }));
    fc.assert(
      fc.property(object, (schema) => {
        const valid = schemaExample(schema) as Record<string, unknown>;
        for (const { what, value } of schemaCounterexamples(schema, valid))
          expect(
            ajv.validate(schema, value),
            `${JSON.stringify(schema)} accepts ${what}: ${JSON.stringify(value)}`,
          ).toBe(false);
      }),
    );
  });

  it('says what is wrong with each', () => {
    const schema = {
      type: 'object',
      properties: { kind: { enum: ['a'] }, count: { type: 'integer', minimum: 1 } },
      required: ['kind'],
      additionalProperties: false,
    };
    expect(schemaCounterexamples(schema, { kind: 'a' }).map(({ what }) => what)).toEqual([
      "without 'kind'",
      "'kind' is an object",
      "'kind' is none of the listed values",
      "'count' is an object",
      "'count' is below its minimum",
      'with a property that is not listed',
    ]);
  });

  it('finds none for a schema that takes anything', () => {
    expect(schemaCounterexamples({}, {})).toEqual([]);
    expect(schemaCounterexamples({ type: 'object', properties: { a: {} } }, {})).toEqual([]);
  });
});
