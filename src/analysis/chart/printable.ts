/**
 * One line without control characters, which could steer a terminal or turn the text around. Joiners
 * stay: emoji and several scripts are written with them.
 */
export function printable(text: string): string {
  return text.replace(/(?:(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu, ' ').trim();
}
