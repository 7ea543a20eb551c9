const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A decimal number read from text, or what is wrong with it. The text itself is never repeated. */
export type ParsedNumber = { readonly value: number } | { readonly problem: string };

/** Reads one decimal number such as `-1.5e3`. Hexadecimal, thousands separators and `NaN` are refused. */
export function parseNumber(text: string): ParsedNumber {
  const trimmed = text.trim();
  if (trimmed === '') return { problem: 'nothing' };
  if (!decimal.test(trimmed)) return { problem: 'text that is not a decimal number' };
  return checkNumber(Number(trimmed));
}

/** Accepts a finite number only. */
export function checkNumber(value: unknown): ParsedNumber {
  if (typeof value !== 'number') return { problem: value === null ? 'null' : `a value of type ${typeof value}` };
  if (Number.isNaN(value)) return { problem: 'NaN' };
  if (!Number.isFinite(value)) return { problem: 'a number beyond the range of a double' };
  return { value };
}
