import { parseSeries } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const failure = (input: unknown): ValidationError => {
  try {
    parseSeries(input as string);
  } catch (error) {
    if (error instanceof ValidationError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('parseSeries', () => {
  it('reads every form to the same numbers', () => {
    const expected = [1, -2.5, 3e2];
    for (const input of [
      '[1, -2.5, 3e2]',
      '1,-2.5,3e2',
      ' 1 , -2.5 , 3e2 ',
      '1\n-2.5\n3e2\n',
      '\uFEFF1\r\n\r\n-2.5\r\n3e2',
      '1,-2.5\n3e2',
      '[{"time":"a","value":1},{"time":"b","value":-2.5},{"time":"c","value":300}]',
      expected,
      expected.map((value, time) => ({ time, value })),
    ]) {
      expect(parseSeries(input)).toEqual(expected);
    }
  });

  it('gives back a copy', () => {
    const input = [1, 2];
    expect(parseSeries(input)).not.toBe(input);
  });

  it.each([
    ['1,2,abc,4', 'item 3', 'text'],
    ['1,,3', 'item 2', 'nothing'],
    ['1,2,', 'item 3', 'nothing'],
    ['1\n2\nx', 'item 3 (line 3)', 'text'],
    ['1\n\n2,0x10', 'item 3 (line 3)', 'text'],
    ['1e999', 'item 1', 'range of a double'],
    ['NaN', 'item 1', 'text'],
    ['1 2 3', 'item 1', 'text'],
    ['[1, null, 3]', 'item 2', 'null'],
    ['[1, "2"]', 'item 2', 'type string'],
    [[1, Number.NaN], 'item 2', 'NaN'],
    [[1, 2, Number.POSITIVE_INFINITY], 'item 3', 'range of a double'],
    [new Array(2), 'item 1', 'undefined'],
    [[{ time: 1, value: 2 }, { time: 2 }], 'item 2', 'type object'],
  ])('names the first bad element of %j', (input, position, problem) => {
    const error = failure(input);
    expect(error.issues).toHaveLength(1);
    expect(error.issues[0]?.path).toEqual([position]);
    expect(error.message).toContain(position);
    expect(error.message).toContain(problem);
  });

  it.each([[''], ['  \n '], ['[]'], [[]]])('refuses the empty series %j', (input) => {
    expect(failure(input).message).toContain('at least one number');
  });

  it('keeps the cause of broken JSON and refuses what is no list', () => {
    expect(failure('[1, 2').cause).toBeInstanceOf(SyntaxError);
    expect(failure({ length: 3 }).message).toContain('array or text');
    expect(failure(null).message).toContain('array or text');
  });

  it('does not repeat the text it refuses', () => {
    expect(failure('1,hunter2').message).not.toContain('hunter2');
  });

  it('reads back any numbers it was given as text', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), fc.constantFrom(',', '\n', ', ', '\r\n'), (values, separator) => {
        expect(parseSeries(values.join(separator))).toEqual(values.map((value) => Number(String(value))));
        expect(parseSeries(JSON.stringify(values))).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });

  it('answers any text with finite numbers or a ValidationError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.stringMatching(/^[-\d.,e\n[\] ]*$/)), (text) => {
        try {
          expect(parseSeries(text).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
        }
      }),
    );
  });

  it('fills gaps by straight lines, and at the ends by the nearest value', () => {
    expect(parseSeries([null, 2, null, null, 8, null], { missing: 'interpolate' })).toEqual([2, 2, 4, 6, 8, 8]);
    expect(parseSeries('[1, null, 3]', { missing: 'interpolate' })).toEqual([1, 2, 3]);
    expect(parseSeries([null, 2, null, 8], { missing: 'omit' })).toEqual([2, 8]);
  });

  it('sorts points by time, and takes labels it cannot compare as they come', () => {
    const points = [3, 1, 2].map((time) => ({ time, value: 10 * time }));
    expect(parseSeries(points, { unsorted: 'sort' })).toEqual([10, 20, 30]);
    expect(failure(points).message).toContain('item 2');
    const dates = [2, 1].map((day) => ({ time: new Date(Date.UTC(2024, 0, day)), value: day }));
    expect(parseSeries(dates, { unsorted: 'sort' })).toEqual([1, 2]);
    expect(parseSeries(['b', 'a'].map((time) => ({ time, value: 1 })))).toEqual([1, 1]);
  });
});
