import { parseCSV } from '@safla/sdk/analysis';
import { ValidationError } from '@safla/sdk/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const failure = (text: string, file = 'my.csv'): ValidationError => {
  try {
    parseCSV(text, { file });
  } catch (error) {
    if (error instanceof ValidationError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('parseCSV', () => {
  it('reads a header, quotes, CRLF, a byte order mark and blank lines', () => {
    const text = '\uFEFF"month","sold, ""net"""\r\n"2024-01", 1.5 \r\n\r\n 2024-02 ,"-2e3"\r\n\r\n';
    expect(parseCSV(text)).toEqual({ time: ['2024-01', '2024-02'], values: [1.5, -2000], name: 'sold, "net"' });
  });

  it('takes a first line with a number as data', () => {
    expect(parseCSV('2024-01,1\n2024-02,2')).toEqual({ time: ['2024-01', '2024-02'], values: [1, 2], name: 'value' });
  });

  it.each([
    ['a,b\n2024-01,12x', 'my.csv:2', 'finite number in the second field'],
    ['a,b\n2024-01,', 'my.csv:2', 'found nothing'],
    ['a,b\n\n\n2024-01,NaN', 'my.csv:4', 'not a decimal number'],
    ['a,b\n2024-01,1e400', 'my.csv:2', 'range of a double'],
    ['a,b\n2024-01;5', 'my.csv:2', 'expected 2 fields, date,value, found 1'],
    ['a,b\n2024-01,1,5', 'my.csv:2', 'found 3'],
    ['a,b\n"2024-01,1', 'my.csv:2', 'quoted field'],
    ['a,b\n"2024"-01,1', 'my.csv:2', 'quoted field'],
    ['a,b\n,1', 'my.csv:2', 'a date in the first field'],
    ['2024-01,1.2.3', 'my.csv:1', 'not a decimal number'],
    ['2024-01,nan', 'my.csv:1', 'not a decimal number'],
    ['a,b\na,b', 'my.csv:2', 'not a decimal number'],
    ['', 'my.csv:1', 'found none'],
    ['a,b\n', 'my.csv:1', 'found none'],
  ])('says where and what in %j', (text, place, problem) => {
    const error = failure(text);
    expect(error.issues).toHaveLength(1);
    expect(error.message).toContain(`${place}: `);
    expect(error.message).toContain(problem);
  });

  it('lists every malformed line once, up to a hundred', () => {
    const lines = ['day,n', '1,x', '2,2', '3', '4,y'];
    expect(failure(lines.join('\n')).issues.map(({ path }) => path)).toEqual([
      ['my.csv:2'],
      ['my.csv:4'],
      ['my.csv:5'],
    ]);
    expect(failure('not a csv at all\n'.repeat(5_000)).issues).toHaveLength(100);
  });

  it('does not repeat the text it refuses', () => {
    expect(failure('a,b\nc,hunter2').message).not.toContain('hunter2');
  });

  it('reads back whatever is written by the rules of RFC 4180', () => {
    const label = fc.string({ minLength: 1 }).map((text) => text.replace(/[\r\n\uFEFF]/g, ' ').trim() || 'x');
    const value = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0);
    fc.assert(
      fc.property(fc.array(fc.tuple(label, value), { minLength: 1 }), fc.constantFrom('\n', '\r\n'), (rows, end) => {
        const lines = rows.map(([time, number]) => `"${time.replaceAll('"', '""')}",${number}`);
        const parsed = parseCSV(['t,v', ...lines].join(end));
        expect(parsed.time).toEqual(rows.map(([time]) => time));
        expect(parsed.values).toEqual(rows.map(([, number]) => Number(String(number))));
      }),
    );
  });

  it('answers any text with a series or a ValidationError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.,"\n a-]*$/)), (text) => {
        try {
          const { time, values } = parseCSV(text);
          expect(time).toHaveLength(values.length);
          expect(values.every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(ValidationError);
        }
      }),
    );
  });
});
