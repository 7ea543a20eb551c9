import { ProtocolError } from '../../core/index.js';

/** The longest line in characters: what is longer is no line. */
const longestLine = 10_485_760;

/**
 * The lines of UTF-8 bytes, without their ends: `\n`, `\r\n` or `\r`. A last line without an end counts.
 *
 * @throws ProtocolError for a line over 10,485,760 characters
 */
export async function* textLines(bytes: AsyncIterable<Uint8Array>, subject: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let length = 0;
  let endedByReturn = false;
  for await (const chunk of bytes) {
    let text = decoder.decode(chunk, { stream: true });
    if (text === '') continue;
    // The other half of a `\r\n` that was cut in two.
    if (endedByReturn && text.startsWith('\n')) text = text.slice(1);
    endedByReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    const last = lines.pop() ?? '';
    for (const line of lines) {
      yield rest.length > 0 ? rest.join('') + line : line;
      rest = [];
      length = 0;
    }
    if (last !== '') rest.push(last);
    length += last.length;
    if (length > longestLine) throw new ProtocolError(`${subject}: a line is longer than ${longestLine} characters`);
  }
  const end = rest.join('') + decoder.decode();
  if (end !== '') yield end;
}
