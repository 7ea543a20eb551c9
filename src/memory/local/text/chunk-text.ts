import { ValidationError } from '../../../core/index.js';
import { checkOptions, is } from '../../../core/internal.js';

/** Settings of {@link chunkText}. */
export interface ChunkOptions {
  /** Most UTF-16 code units of a chunk. @default 1000 */
  readonly maxLength?: number;
  /** About how many code units a chunk repeats of the one before; less than half of `maxLength`. @default 100 */
  readonly overlap?: number;
}

/** A piece of a text. */
export interface TextChunk {
  readonly text: string;
  /** Where it begins in the whole text, in UTF-16 code units. */
  readonly start: number;
}

/** Where a text may be cut, best first: after paragraphs, lines, sentences, parts of sentences, words. */
const cuts: readonly RegExp[] = [/\n\s*\n/g, /\n/g, /[.!?…。！？]["')\]”’]*\s+|[。！？]/g, /[,;:，；：]\s+/g, /\s+/g];

/**
 * Cuts a long text into chunks that an embedding model can take, at the best place in the second half
 * of each: the end of a paragraph, a line, a sentence, a word. Only a word longer than a chunk is cut,
 * never within a character. Every part of the text that is not white space is in a chunk.
 *
 * @throws ConfigurationError ValidationError
 * @example for (const { text, start } of chunkText(article, { maxLength: 800 })) console.log(start, text);
 */
export function chunkText(text: string, options: ChunkOptions = {}): TextChunk[] {
  checkOptions<ChunkOptions>('chunkText', options, { maxLength: is.count, overlap: is.countOrZero });
  const { maxLength = 1_000, overlap = Math.floor(Math.min(100, (maxLength - 1) / 2)) } = options;
  if (typeof text !== 'string') throw new ValidationError('chunkText', [{ path: [], message: 'must be a text' }]);
  if (maxLength > 1 && overlap * 2 >= maxLength) {
    const message = 'must be less than half of maxLength';
    throw new ValidationError('chunkText', [{ path: ['overlap'], message }]);
  }
  const chunks: TextChunk[] = [];
  for (let from = 0; from < text.length; ) {
    const end = from + maxLength >= text.length ? text.length : cutBefore(text, from, from + maxLength);
    const part = text.slice(from, end);
    const trimmed = part.trim();
    if (trimmed !== '') chunks.push({ text: trimmed, start: from + part.indexOf(trimmed) });
    if (end === text.length) break;
    from = overlap === 0 ? end : wordStart(text, Math.max(from, chunks.at(-1)?.start ?? 0) + 1, end - overlap, end);
  }
  return chunks;
}

/** The best end of a chunk in the second half of [from, limit). */
function cutBefore(text: string, from: number, limit: number): number {
  const earliest = from + Math.ceil((limit - from) / 2);
  const window = text.slice(earliest, limit);
  for (const cut of cuts) {
    const last = [...window.matchAll(cut)].at(-1);
    if (last) return earliest + last.index + last[0].length;
  }
  return atCharacter(text, limit, from);
}

/** The first start of a word before `end`, from `wanted` on and not before `least`; `end` when there is none. */
function wordStart(text: string, least: number, wanted: number, end: number): number {
  const from = Math.max(least, wanted);
  const space = /\s/.exec(text.slice(from - 1, end));
  return space ? from + space.index : end;
}

/** Not between the halves of a surrogate pair, unless nothing else is left. */
function atCharacter(text: string, place: number, from: number): number {
  const splits = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(place - 1, place + 1));
  if (!splits) return place;
  return place - 1 > from ? place - 1 : place + 1;
}
