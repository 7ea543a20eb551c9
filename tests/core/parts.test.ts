import {
  compose,
  type HealthCheck,
  healthReport,
  type Logger,
  MissingDependencyError,
  safeLogger,
  UnsupportedError,
  ValidationError,
  validate,
  validateSync,
  withContext,
} from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { importOptional, isSchema, lazy } from '../../src/core/internal.js';

describe('compose', () => {
  it('runs layers outside in and lets them change, answer and repeat the call', async () => {
    const log: string[] = [];
    const run = compose<number, number>(
      [
        async (call, next) => {
          log.push(`outer ${call}`);
          return (await next(call + 1)) * 2;
        },
        async (call, next) => (call > 10 ? -1 : (await next()) + (await next())),
      ],
      async (call) => call,
    );
    await expect(run(1)).resolves.toBe(8);
    await expect(run(20)).resolves.toBe(-2);
    expect(log).toEqual(['outer 1', 'outer 20']);
  });

  it('is the inner call without layers', async () => {
    await expect(compose<number, number>([], async (n) => n)(3)).resolves.toBe(3);
  });
});

describe('validate', () => {
  const User = z.object({ name: z.string(), age: z.coerce.number() });

  it("gives the schema's output", async () => {
    await expect(validate(User, { name: 'a', age: '7' }, 'user')).resolves.toEqual({ name: 'a', age: 7 });
  });

  it('throws paths and messages without values', async () => {
    const error = await validate(User, { name: 5, age: 'hunter2' }, 'user').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues.map((issue) => issue.path)).toEqual([['name'], ['age']]);
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it('refuses an asynchronous schema where it cannot wait', () => {
    const slow = z.string().refine(async () => true);
    expect(() => validateSync(slow, 'x', 'name')).toThrow(UnsupportedError);
  });

  it('knows a schema from other objects', () => {
    expect([isSchema(User), isSchema({}), isSchema(null), isSchema('x')]).toEqual([true, false, false, false]);
  });
});

describe('importOptional', () => {
  it('says what to install and keeps the cause', async () => {
    const name = 'not-a-package-of-anybody';
    const error = await importOptional(name, 'ThisFeature', () => import(name)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MissingDependencyError);
    expect((error as Error).message).toContain('npm install not-a-package-of-anybody');
    expect((error as Error).cause).toBeInstanceOf(Error);
  });

  it('does not hide a package that is there but broken', async () => {
    const broken = (): Promise<never> => Promise.reject(new SyntaxError('bad code'));
    await expect(importOptional('pg', 'X', broken)).rejects.toBeInstanceOf(SyntaxError);
  });
});

describe('lazy', () => {
  it('makes the value once and tries again after a failure', async () => {
    let times = 0;
    const value = lazy(async () => {
      times += 1;
      if (times === 1) throw new Error('first');
      return times;
    });
    await expect(value()).rejects.toThrow('first');
    await expect(Promise.all([value(), value()])).resolves.toEqual([2, 2]);
  });
});

describe('safeLogger', () => {
  it('adds component and correlation id, redacts, and survives a broken logger', async () => {
    const records: unknown[] = [];
    const sink: Logger = {
      debug: (...args) => records.push(args),
      info: (...args) => records.push(args),
      warn: (...args) => records.push(args),
      error: () => {
        throw new Error('disk full');
      },
    };
    const logger = safeLogger(sink, 'api');
    await withContext({ correlationId: 'c-1' }, () => logger.info({ token: 'hunter2' }, 'Bearer hunter2'));
    expect(records).toEqual([[{ component: 'api', correlationId: 'c-1', token: '[redacted]' }, 'Bearer [redacted]']]);
    expect(() => logger.error({}, 'x')).not.toThrow();
  });
});

describe('healthReport', () => {
  const check = (name: string, health: HealthCheck['health']): HealthCheck => ({ name, health });

  it('gives the worst status and every answer', async () => {
    const report = await healthReport([
      check('db', async () => ({ status: 'pass', latencyMs: 2 })),
      check('api', async () => ({ status: 'warn', output: 'circuit half-open' })),
    ]);
    expect(report.status).toBe('warn');
    expect(report.checks.db?.[0]).toMatchObject({ status: 'pass', observedValue: 2, observedUnit: 'ms' });
    expect(report.checks.api?.[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it('counts a check that throws or hangs as failed', async () => {
    const report = await healthReport(
      [
        check('throws', async () => {
          throw new Error('no route');
        }),
        check('hangs', () => new Promise(() => undefined)),
      ],
      { timeoutMs: 20 },
    );
    expect(report.status).toBe('fail');
    expect(report.checks.throws?.[0]?.output).toBe('no route');
    expect(report.checks.hangs?.[0]?.output).toContain('within 20 ms');
  });

  it('holds no secret, whatever a check says, and survives a check that says nothing', async () => {
    const report = await healthReport([
      check('leaky', async () => ({ status: 'warn', output: 'no answer from postgres://u:hunter2@h' })),
      check('silent', (async () => undefined) as never),
    ]);
    expect(JSON.stringify(report)).not.toContain('hunter2');
    expect(report.checks.silent?.[0]?.status).toBe('fail');
    await expect(
      healthReport([check('x', async () => ({ status: 'pass' }))], { timeoutMs: Number.NaN }),
    ).resolves.toMatchObject({
      status: 'fail',
    });
  });

  it('passes with nothing to check', async () => {
    await expect(healthReport([])).resolves.toEqual({ status: 'pass', checks: {} });
  });
});
