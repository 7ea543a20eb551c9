import { type Document, deserialize, serialize } from 'bson';

/** One request, whichever of the two ways it came (MongoDB Wire Protocol: OP_MSG, and OP_QUERY for the first hello). */
export interface Request {
  readonly id: number;
  readonly legacy: boolean;
  readonly body: Document;
  /** The client wants no answer. */
  readonly silent: boolean;
}

const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;
const moreToCome = 2;

/** Integers of 64 bits stay exact; the rest as numbers. */
export const readOptions = { promoteBuffers: true, promoteLongs: true };

/** Takes whole messages from the front of a buffer. */
export function takeMessages(buffer: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = buffer;
  while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
    const size = rest.readInt32LE(0);
    messages.push(rest.subarray(0, size));
    rest = rest.subarray(size);
  }
  return { messages, rest };
}

export function readRequest(message: Buffer): Request {
  const id = message.readInt32LE(4);
  const code = message.readInt32LE(12);
  if (code === opQuery) {
    const nameEnd = message.indexOf(0, 20);
    return { id, legacy: true, silent: false, body: { ...document(message, nameEnd + 9), $db: 'admin' } };
  }
  if (code !== opMsg) throw new Error(`The emulator does not know the message ${code}`);
  const flags = message.readUInt32LE(16);
  const end = message.length - (flags & 1 ? 4 : 0);
  let body: Document = {};
  for (let at = 20; at < end; ) {
    const kind = message[at++];
    if (kind === 0) {
      body = { ...document(message, at), ...body };
      at += message.readInt32LE(at);
      continue;
    }
    const sectionEnd = at + message.readInt32LE(at);
    const nameEnd = message.indexOf(0, at + 4);
    const items: Document[] = [];
    for (let item = nameEnd + 1; item < sectionEnd; item += message.readInt32LE(item))
      items.push(document(message, item));
    body = { ...body, [message.toString('utf8', at + 4, nameEnd)]: items };
    at = sectionEnd;
  }
  return { id, legacy: false, silent: (flags & moreToCome) !== 0, body };
}

export function writeAnswer({ id, legacy }: Request, answer: Document): Buffer {
  const body = serialize(answer);
  const head = Buffer.alloc(legacy ? 36 : 21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(id, 8);
  head.writeInt32LE(legacy ? opReply : opMsg, 12);
  if (legacy) head.writeInt32LE(1, 32);
  return Buffer.concat([head, body]);
}

function document(message: Buffer, at: number): Document {
  return deserialize(message.subarray(at, at + message.readInt32LE(at)), readOptions);
}
