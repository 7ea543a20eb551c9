import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentContext, detach, openScope, TimeoutError, withContext } from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { contextStore } from '../../src/core/context-store.js';

describe('withContext', () => {
  it('flows through awaits without being passed by hand', async () => {
    await withContext({ correlationId: 'order-7' }, async () => {
      await sleep(1);
      expect(currentContext().correlationId).toBe('order-7');
      await Promise.all([sleep(1).then(() => expect(currentContext().correlationId).toBe('order-7'))]);
    });
    expect(currentContext().correlationId).toBeUndefined();
  });

  it('gives a new correlation id where there is none and keeps the outer one inside', async () => {
    await withContext({}, async () => {
      const outer = currentContext().correlationId;
      expect(outer).toMatch(/^[0-9a-f-]{36}$/);
      await withContext({ timeoutMs: 1_000 }, () => expect(currentContext().correlationId).toBe(outer));
    });
  });

  it('rejects when its time is over and cancels the calls inside', async () => {
    let inner: unknown;
    const outcome = withContext({ timeoutMs: 10 }, async () => {
      using scope = openScope('a call inside');
      await scope
        .run(() => new Promise(() => undefined))
        .catch((error: unknown) => {
          inner = error;
        });
    });
    await expect(outcome).rejects.toBeInstanceOf(TimeoutError);
    expect(inner).toBeInstanceOf(TimeoutError);
  });

  it('cannot be lengthened from inside', async () => {
    await withContext({ timeoutMs: 50 }, () =>
      withContext({ timeoutMs: 60_000 }, () => expect(currentContext().remainingMs).toBeLessThanOrEqual(50)),
    );
  });

  it('leaves no listener on the signal it was given', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 100; i++) await withContext({ signal }, () => currentContext().signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('detach', () => {
  it('lets work outlive the context it was started in, with the same correlation id', async () => {
    const controller = new AbortController();
    let survived: Promise<string> | undefined;
    const outcome = withContext({ signal: controller.signal, correlationId: 'job-1' }, async () => {
      survived = detach(async () => {
        using scope = openScope('audit');
        await scope.sleep(20);
        return `${currentContext().correlationId} written`;
      });
      await new Promise(() => undefined);
    });
    controller.abort('caller left');
    await expect(outcome).rejects.toBe('caller left');
    await expect(survived).resolves.toBe('job-1 written');
  });

  it('just calls where there is nothing to leave', async () => {
    const store = contextStore();
    expect(detach(() => store.getStore())).toBeUndefined();
    await withContext({ correlationId: 'c-1' }, () => {
      const outside = detach(() => store.getStore());
      expect(outside).toEqual({ correlationId: 'c-1' });
      expect(detach(() => detach(() => store.getStore()))).toEqual(outside);
    });
  });
});
