/**
 * One layer around a call. Call `next()` to go on, with another call to change it; return without
 * calling it to answer yourself; call it again to repeat.
 *
 * @example const timing: Middleware<Request, Response> = async (call, next) => { const t = performance.now(); try { return await next(); } finally { record(performance.now() - t); } };
 */
export type Middleware<Call, Result> = (call: Call, next: (call?: Call) => Promise<Result>) => Promise<Result>;

/** Puts `layers` around `inner`; the first is the outermost. */
export function compose<Call, Result>(
  layers: readonly Middleware<Call, Result>[],
  inner: (call: Call) => Promise<Result>,
): (call: Call) => Promise<Result> {
  return layers.reduceRight<(call: Call) => Promise<Result>>(
    (next, layer) => async (call) => layer(call, (changed) => next(changed ?? call)),
    inner,
  );
}
