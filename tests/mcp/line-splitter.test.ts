import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../src/mcp/host/line-splitter.js';

/** Feeds `bytes` cut at the given places. */
function split(splitter: LineSplitter, bytes: Buffer, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).flatMap((end, i) => splitter.push(bytes.subarray(places[i], end)));
}

describe('LineSplitter', () => {
  it('gives the same lines wherever the bytes are cut', () => {
    const line = fc
      .string({ unit: 'binary' })
      .filter((text) => !text.includes('\n') && Buffer.from(text).toString() === text);
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
        expect(split(new LineSplitter(1_000_000), bytes, cuts)).toEqual(lines);
      }),
    );
  });

  it('keeps an unfinished line until its end comes', () => {
    const splitter = new LineSplitter(100);
    expect(splitter.push(Buffer.from('a\nb'))).toEqual(['a']);
    expect(splitter.push(Buffer.from('c\n'))).toEqual(['bc']);
  });

  it('says when a line is longer than it may hold, whatever its pieces', () => {
    const splitter = new LineSplitter(10);
    for (const piece of ['12345', '67890']) splitter.push(Buffer.from(piece));
    expect(splitter.overflowed).toBe(false);
    splitter.push(Buffer.from('1'));
    expect(splitter.overflowed).toBe(true);
  });
});
