import type { Logger } from '../../../src/core/index.js';

/** A logger that keeps what it is given. */
export function recordingLogger(): {
  readonly logger: Logger;
  readonly records: { level: string; facts: object; message?: string | undefined }[];
} {
  const records: { level: string; facts: object; message?: string | undefined }[] = [];
  const at =
    (level: string) =>
    (facts: object, message?: string): void => {
      records.push({ level, facts, message });
    };
  return { records, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}
