import { ConfigurationError } from '../../core/index.js';

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_557_600 };
const form =
  /^(\d{1,9}(?:\.\d{1,3})?) ?(?:(s)(?:ec(?:ond)?s?)?|(m)(?:in(?:ute)?s?)?|(h)(?:(?:ou)?rs?)?|(d)(?:ays?)?|(w)(?:eeks?)?|(y)(?:ears?)?)$/i;

/**
 * Milliseconds of a time as the short form takes it: whole seconds as a number, or `'90s'`, `'15m'`, `'1h'`,
 * `'7d'`. A text of digits alone is refused: jsonwebtoken takes it for milliseconds, everybody else for seconds.
 *
 * @throws ConfigurationError that shows the right spelling
 */
export function durationMs(value: unknown, field: string): number {
  const ms = typeof value === 'number' ? value * 1_000 : textMs(value, field);
  if (!Number.isSafeInteger(ms / 1_000) || ms <= 0 || ms > 100 * 31_557_600_000)
    throw new ConfigurationError(`${field} must be whole seconds above 0, or a text such as '15m' or '1h'`, { field });
  return ms;
}

function textMs(value: unknown, field: string): number {
  if (typeof value === 'string' && /^\s*\d+\s*$/.test(value)) {
    const digits = value.trim();
    throw new ConfigurationError(
      `${field} has no unit: write '${digits}s' or the number ${digits} for seconds, not the text '${digits}'`,
      { field },
    );
  }
  const [, amount, ...units] = (typeof value === 'string' && value.length < 30 && form.exec(value)) || [];
  const unit = units.find((name) => name !== undefined)?.toLowerCase() ?? '';
  return Math.round(Number(amount) * (seconds[unit] ?? Number.NaN)) * 1_000;
}
