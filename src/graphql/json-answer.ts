const jsonType = /^(?:application|text)\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/** True for any kind of JSON, and for an answer that does not say what it is. */
export function isJSON(contentType: string | undefined): boolean {
  return contentType === undefined || jsonType.test(contentType);
}

/** The content as UTF-8, which JSON has to be (RFC 8259 section 8.1), without a byte order mark. */
export function jsonText(body: Uint8Array): string {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
