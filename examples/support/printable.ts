/** One line without control characters, which could steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

/** One line of a message: its first, and the error that a server printed before it ended, without the stack. */
export function headline(message: string): string {
  const [first = '', ...more] = message.split('\n');
  const cause = more.find((line) => /^\w*Error\b/.test(line)) ?? '';
  return printable(`${first} ${cause}`);
}
