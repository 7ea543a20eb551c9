/** What a promise rejects with; fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const value = await promise.then(
    (resolved) => ({ resolved }),
    (error: unknown) => ({ error }),
  );
  if ('error' in value) return value.error as Error;
  throw new Error(`expected a rejection, got ${JSON.stringify(value.resolved)}`);
}

/** Resolves when `condition` holds; rejects after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('the condition did not come true within 10 seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
