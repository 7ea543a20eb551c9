import type { HTTPAnswer } from '../../drivers/http/index.js';
import type { ContentReader } from './content-reader.js';
import type { Exchanged } from './freshness.js';

/** What a request ended with, whatever its status. */
export interface Outcome {
  readonly answer: Pick<HTTPAnswer, 'status' | 'headers' | 'body'>;
  /** Requests that were sent for it. */
  readonly attempts: number;
  readonly ageMs: number;
  readonly fromCache: boolean;
  /** Gives the data of a stored answer. */
  readonly read?: ContentReader;
}

/** Looks on while a request is sent. */
export interface Observer {
  /** Requests that were sent so far, set before each. */
  attempts: number;
  /**
   * Sees every answer of the server before its status is judged. What it gives is the outcome; undefined
   * leaves the answer as it is.
   */
  inspect(answer: HTTPAnswer, exchanged: Exchanged): Promise<Outcome | undefined>;
}
