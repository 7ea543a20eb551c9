import { FieldIndex, type Range } from './field-index.js';
import { type FilterCondition, type FilterValue, isRecord, type MetadataFilter, valueAt } from './metadata-filter.js';

/** Rows among which all matches of a filter are, perhaps with others. */
export interface RowPlan {
  readonly size: number;
  /** Each row once. */
  rows(): Iterable<number>;
}

/** Fields beyond these are looked up in the metadata itself. */
const maxFields = 64;

/**
 * Indexes over metadata, one for each field that a filter ever named: made when it is first wanted, kept
 * up to date from then on.
 */
export class MetadataIndex {
  readonly #fields: Map<string, FieldIndex> = new Map();

  add(row: number, metadata: Record<string, unknown> | undefined): void {
    for (const [field, index] of this.#fields) index.add(row, valueAt(metadata, field.split('.')));
  }

  remove(row: number, metadata: Record<string, unknown> | undefined): void {
    for (const [field, index] of this.#fields) index.remove(row, valueAt(metadata, field.split('.')));
  }

  /**
   * Where to look for the matches of a filter that was checked; undefined when only looking at all rows
   * finds them.
   *
   * @param all every row with its metadata, to make an index that is not there yet
   */
  plan(
    filter: MetadataFilter,
    all: () => Iterable<readonly [number, Record<string, unknown> | undefined]>,
  ): RowPlan | undefined {
    const indexOf = (field: string): FieldIndex | undefined => this.#fields.get(field) ?? this.#make(field, all());
    const plans: RowPlan[] = [];
    for (const [key, wanted] of Object.entries(filter)) {
      const plan = this.#planEntry(key, wanted, (part) => this.plan(part, all), indexOf);
      if (plan) plans.push(plan);
    }
    return smallest(plans);
  }

  #planEntry(
    key: string,
    wanted: MetadataFilter[string],
    planOf: (filter: MetadataFilter) => RowPlan | undefined,
    indexOf: (field: string) => FieldIndex | undefined,
  ): RowPlan | undefined {
    if (wanted === undefined || key === '$not') return undefined;
    if (key === '$and') return smallest((wanted as readonly MetadataFilter[]).flatMap((part) => planOf(part) ?? []));
    if (key === '$or') {
      const parts = (wanted as readonly MetadataFilter[]).map(planOf);
      return parts.every((part) => part !== undefined) ? either(parts) : undefined;
    }
    const condition = isRecord(wanted) ? (wanted as FilterCondition) : { $eq: wanted as FilterValue };
    const usable = condition.$eq !== undefined || condition.$in || rangesOf(condition).length > 0;
    const index = usable ? indexOf(key) : undefined;
    return index && planCondition(index, condition);
  }

  #make(field: string, all: Iterable<readonly [number, Record<string, unknown> | undefined]>): FieldIndex | undefined {
    if (this.#fields.size >= maxFields) return undefined;
    const index = new FieldIndex();
    const keys = field.split('.');
    for (const [row, metadata] of all) index.add(row, valueAt(metadata, keys));
    this.#fields.set(field, index);
    return index;
  }
}

function planCondition(index: FieldIndex, condition: FilterCondition): RowPlan | undefined {
  const plans: RowPlan[] = [];
  if (condition.$eq !== undefined) plans.push(union(index.equal(condition.$eq), index.severalValues));
  if (condition.$in) {
    const distinct = [...new Set(condition.$in)];
    plans.push(
      union(
        distinct.flatMap((value) => index.equal(value)),
        true,
      ),
    );
  }
  const ranges = rangesOf(condition);
  // Of an array one element may be above the least and another below the most.
  const joined = index.severalValues ? ranges : ranges.length > 0 ? [Object.assign({}, ...ranges) as Range] : [];
  for (const range of joined) plans.push(union(index.between(range), index.severalValues));
  return smallest(plans);
}

/** Ends are included: what is on the end of an open range is dropped by the filter itself. */
function rangesOf({ $gt, $gte, $lt, $lte }: FilterCondition): Range[] {
  const least = ($gte ?? $gt) as Range['least'];
  const most = ($lte ?? $lt) as Range['most'];
  const sameType = least === undefined || most === undefined || typeof least === typeof most;
  if (!sameType) return [{ least } as Range];
  return [...(least === undefined ? [] : [{ least }]), ...(most === undefined ? [] : [{ most }])];
}

function smallest(plans: readonly RowPlan[]): RowPlan | undefined {
  return plans.reduce<RowPlan | undefined>((best, plan) => (best && best.size <= plan.size ? best : plan), undefined);
}

function union(sets: readonly ReadonlySet<number>[], overlapping: boolean): RowPlan {
  const size = sets.reduce((sum, set) => sum + set.size, 0);
  return { size, rows: () => (overlapping && sets.length > 1 ? new Set(chain(sets)) : chain(sets)) };
}

function either(plans: readonly RowPlan[]): RowPlan {
  const size = plans.reduce((sum, plan) => sum + plan.size, 0);
  return { size, rows: () => new Set(chain(plans.map((plan) => plan.rows()))) };
}

function* chain(parts: readonly Iterable<number>[]): Generator<number> {
  for (const part of parts) yield* part;
}
