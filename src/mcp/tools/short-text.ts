/** What models read of a tool; some hosts refuse longer ones. */
const longestDescription = 1_024;

/** A text of one tool among many, cut at a word when it is longer than hosts take. */
export function shortText(text: string, longest: number = longestDescription): string {
  const trimmed = text.trim();
  if (trimmed.length <= longest) return trimmed;
  const cut = trimmed.slice(0, longest - 1);
  const end = Math.max(cut.lastIndexOf(' '), cut.lastIndexOf('\n'));
  return `${cut.slice(0, end > longest / 2 ? end : undefined).trimEnd()}…`;
}
