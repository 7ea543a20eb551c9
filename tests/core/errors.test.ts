import { inspect } from 'node:util';
import {
  AccessDeniedError,
  CircuitOpenError,
  ClosedError,
  ConfigurationError,
  ConnectionError,
  errorCodes,
  MissingDependencyError,
  NotFoundError,
  ProtocolError,
  QueueFullError,
  RateLimitError,
  SaflaError,
  TimeoutError,
  UnsupportedError,
  ValidationError,
} from '@safla/sdk/core';
import { describe, expect, it } from 'vitest';

const samples: readonly (readonly [SaflaError, string, boolean])[] = [
  [new AccessDeniedError('no'), 'ACCESS_DENIED', false],
  [new CircuitOpenError('https://api.example.com'), 'CIRCUIT_OPEN', true],
  [new ClosedError('APIIntegration'), 'CLOSED', false],
  [new ConfigurationError('bad', { field: 'policy.timeoutMs' }), 'CONFIGURATION', false],
  [new ConnectionError('refused', { systemCode: 'ECONNREFUSED' }), 'CONNECTION', true],
  [new MissingDependencyError('pg', 'PostgresDatabase'), 'MISSING_DEPENDENCY', false],
  [new NotFoundError('no such row'), 'NOT_FOUND', false],
  [new ProtocolError('not JSON'), 'PROTOCOL', false],
  [new QueueFullError('queue', '1000 items'), 'QUEUE_FULL', true],
  [new RateLimitError('later', { retryAfterMs: 100 }), 'RATE_LIMITED', true],
  [new TimeoutError('GET /', 10), 'TIMEOUT', true],
  [new UnsupportedError('no'), 'UNSUPPORTED', false],
  [new ValidationError('input', [{ path: ['a', 0], message: 'too small' }]), 'VALIDATION', false],
];

describe.each(samples)('%s', (error, code, retryable) => {
  it('is a SaflaError with a stable name and a listed code', () => {
    expect(SaflaError.is(error)).toBe(true);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(error.constructor.name);
    expect(error).toMatchObject({ code, retryable });
    expect(Object.keys(errorCodes)).toContain(error.code);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name: error.name, message: error.message, code });
  });
});

describe('SaflaError', () => {
  it('is recognised across two copies of the package', () => {
    class Foreign extends Error {
      readonly code = 'TIMEOUT';
    }
    Object.defineProperty(Foreign.prototype, Symbol.for('@safla/sdk/error'), { value: true });
    expect(SaflaError.is(new Foreign())).toBe(true);
    expect(SaflaError.is(new Error('other'))).toBe(false);
    expect(SaflaError.is(null)).toBe(false);
  });

  it('keeps its cause and shows it redacted in JSON', () => {
    const cause = new Error('connect to redis://user:hunter2@cache failed');
    const error = new ConnectionError('cannot connect', { cause });
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error)).toContain('cannot connect');
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it('masks credentials that find their way into a message', () => {
    const error = new ConnectionError(
      'GET https://bob:hunter2@api.example.com/?api_key=hunter2 with Bearer hunter2hunter2 failed',
    );
    expect(`${error.message}${error.stack}${inspect(error)}${JSON.stringify(error)}`).not.toContain('hunter2');
  });

  it('shows at most three issues in the message and keeps all', () => {
    const issues = Array.from({ length: 5 }, (_, i) => ({ path: [i], message: 'bad' }));
    const error = new ValidationError('list', issues);
    expect(error.message).toBe('list: 0: bad; 1: bad; 2: bad; and 2 more');
    expect(error.issues).toHaveLength(5);
  });
});
