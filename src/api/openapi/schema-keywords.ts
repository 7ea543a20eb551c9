import { isObject } from './document.js';

/** Says whether a keyword's value is one that JSON Schema 2020-12 knows. What is not is left out. */
type KeywordCheck = (value: unknown) => boolean;

const types: ReadonlySet<unknown> = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

const isText: KeywordCheck = (value) => typeof value === 'string';
const isFlag: KeywordCheck = (value) => typeof value === 'boolean';
const isNumber: KeywordCheck = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount: KeywordCheck = (value) => Number.isInteger(value) && (value as number) >= 0;
const isNames: KeywordCheck = (value) => Array.isArray(value) && value.every(isText);
const isAnything: KeywordCheck = () => true;

/** Keywords that hold plain values (JSON Schema Validation 2020-12). */
export const plainKeywords: Readonly<Record<string, KeywordCheck>> = {
  type: (value) =>
    types.has(value) || (Array.isArray(value) && value.length > 0 && value.every((one) => types.has(one))),
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: isAnything,
  default: isAnything,
  title: isText,
  description: isText,
  deprecated: isFlag,
  format: isText,
  examples: Array.isArray,
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  maximum: isNumber,
  exclusiveMaximum: isNumber,
  minimum: isNumber,
  exclusiveMinimum: isNumber,
  maxLength: isCount,
  minLength: isCount,
  pattern: (value) => isText(value) && isPattern(value as string),
  maxItems: isCount,
  minItems: isCount,
  uniqueItems: isFlag,
  maxContains: isCount,
  minContains: isCount,
  maxProperties: isCount,
  minProperties: isCount,
  required: isNames,
  dependentRequired: (value) => isObject(value) && Object.values(value).every(isNames),
  contentEncoding: isText,
  contentMediaType: isText,
};

/** Keywords that hold one schema. */
export const schemaKeywords: readonly string[] = [
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
];

/** Keywords that hold a list of schemas. */
export const listKeywords: readonly string[] = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];

/** Keywords that hold schemas by name. */
export const mapKeywords: readonly string[] = ['dependentSchemas', 'patternProperties', 'properties'];

/** As validators read it: with Unicode. */
export function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
