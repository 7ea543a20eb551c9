import { encodeFilter } from './filter-encoder.js';
import { refuse } from './names.js';
import type { ObjectIds } from './object-ids.js';
import { trustedDocument } from './trusted-document.js';

/**
 * The stages of an aggregation as the host wrote them. What stands in a `$match` is a filter like any other:
 * its operators come from `where`, so values from outside belong there.
 *
 * @throws ValidationError
 */
export function encodePipeline(stages: unknown, ids: ObjectIds): Record<string, unknown>[] {
  const subject = 'pipeline';
  if (!Array.isArray(stages)) refuse(subject, [], 'must be an array of stages');
  return stages.map((stage: unknown) =>
    trustedDocument(stage, subject, (name, value) =>
      name === '$match' ? encodeFilter(value, ids, '$match') : undefined,
    ),
  );
}
