import { redactText } from '../core/index.js';

/**
 * A copy of a driver's error that holds nothing but what every error has, and its code: their own
 * properties can hold the command with its password, bytes of the answer, or a certificate.
 *
 * @param clean What message and stack pass. @default redactText
 */
export function withoutPayload(error: Error, clean: (text: string) => string = redactText): Error {
  const copy = new Error(clean(error.message));
  Object.defineProperty(copy, 'name', { value: error.name, configurable: true });
  if (error.stack !== undefined) copy.stack = clean(error.stack);
  const code = codeOf(error);
  return code === undefined ? copy : Object.assign(copy, { code });
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
