import { randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClosedError, ConfigurationError, QueueFullError, ValidationError } from '@safla/sdk/core';
import {
  AuditError,
  AuditLog,
  type AuditLogOptions,
  type AuditRecord,
  type AuditSink,
  FileAuditSink,
  MemoryAuditSink,
} from '@safla/sdk/security';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJSON } from '../../src/security/audit/canonical-json.js';
import '../support/properties.js';

const key = randomBytes(32);
const logOf = (options: Partial<AuditLogOptions> = {}) => new AuditLog({ key, ...options });

async function filled(count: number) {
  const sink = new MemoryAuditSink();
  const log = logOf({ sink });
  for (let i = 0; i < count; i++) await log.append({ actor: 'alice', action: 'order.read', data: { i } });
  return { log, sink, records: structuredClone(sink.records) };
}

describe('AuditLog', () => {
  it('chains records in the order of the calls, also of those at the same time', async () => {
    const sink = new MemoryAuditSink();
    const slow: AuditSink = {
      append: async (record) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
        sink.append(record);
      },
      last: () => sink.last(),
      read: () => sink.read(),
    };
    const log = logOf({ sink: slow });
    await Promise.all(Array.from({ length: 50 }, (_, i) => log.append({ actor: 'a', action: 'b', data: i })));
    expect(sink.records.map(({ event }) => event.data)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(sink.records.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await log.verify()).toMatchObject({ ok: true, records: 50 });
  });

  it.each<[string, (records: AuditRecord[]) => unknown[], object]>([
    ['nothing', (records) => records, { ok: true, records: 10 }],
    [
      'a changed event',
      (r) => r.with(4, { ...(r[4] as AuditRecord), event: { actor: 'bob', action: 'order.read' } }),
      { reason: 'changed', index: 4, seq: 5 },
    ],
    [
      'a changed time',
      (r) => r.with(4, { ...(r[4] as AuditRecord), at: '2020-01-01T00:00:00.000Z' }),
      { reason: 'changed', index: 4 },
    ],
    ['a record left out', (r) => r.toSpliced(4, 1), { reason: 'missing', index: 4, seq: 5 }],
    ['the first left out', (r) => r.slice(1), { reason: 'missing', index: 0, seq: 1 }],
    [
      'two in another order',
      (r) => r.toSpliced(4, 2, r[5] as AuditRecord, r[4] as AuditRecord),
      { reason: 'missing', index: 4 },
    ],
    ['a record twice', (r) => r.toSpliced(4, 0, r[3] as AuditRecord), { reason: 'reordered', index: 4 }],
    [
      'a renumbered record',
      (r) => r.toSpliced(4, 1).with(4, { ...(r[5] as AuditRecord), seq: 5 }),
      { reason: 'changed', index: 4 },
    ],
    [
      'an addition to a record',
      (r) => r.with(4, { ...(r[4] as AuditRecord), note: 'x' } as AuditRecord),
      { reason: 'malformed', index: 4 },
    ],
    ['a record that is none', (r) => [...r, null], { reason: 'malformed', index: 10 }],
    [
      'a record of an unknown key',
      (r) => r.with(4, { ...(r[4] as AuditRecord), keyId: 'x' }),
      { reason: 'unknown-key', index: 4 },
    ],
    ['an end cut off', (r) => r.slice(0, 7), { reason: 'truncated', index: 7, seq: 8 }],
    ['everything cut off', () => [], { reason: 'truncated', index: 0, seq: 1 }],
  ])('finds %s', async (_name, change, expected) => {
    const { log, records } = await filled(10);
    const anchor = await log.anchor();
    if (!anchor) throw new Error('no anchor');
    expect(await log.verify({ records: change(records), anchor })).toMatchObject(expected);
  });

  it('finds whatever single thing was done to it', async () => {
    const { log, records } = await filled(8);
    const anchor = await log.anchor();
    await fc.assert(
      fc.asyncProperty(fc.nat(7), fc.nat(7), fc.constantFrom('drop', 'swap', 'copy', 'edit'), async (i, j, kind) => {
        const changed: AuditRecord[] = [...records];
        const [a, b] = [records[i] as AuditRecord, records[j] as AuditRecord];
        if (kind === 'drop') changed.splice(i, 1);
        else if (kind === 'edit') changed[i] = { ...a, event: { ...a.event, actor: `${a.event.actor}!` } };
        else {
          fc.pre(i !== j);
          changed[i] = b;
          if (kind === 'swap') changed[j] = a;
        }
        const found = await log.verify({ records: changed, ...(anchor && { anchor }) });
        expect(found).toMatchObject({ ok: false, index: kind === 'swap' ? Math.min(i, j) : kind === 'copy' ? i : i });
      }),
    );
  });

  it('is not forged without the key', async () => {
    const { records } = await filled(3);
    expect(await logOf({ key: randomBytes(32) }).verify({ records })).toMatchObject({ reason: 'changed', index: 0 });
  });

  it('goes on under a new key, and from where the sink ends', async () => {
    const { sink } = await filled(3);
    const next = randomBytes(32);
    const log = new AuditLog({ key: next, keyId: '2', previousKeys: { '1': key }, sink });
    await log.append({ actor: 'a', action: 'b' });
    expect(sink.records.map(({ keyId }) => keyId)).toEqual(['1', '1', '1', '2']);
    expect(await log.verify()).toMatchObject({ ok: true, records: 4 });
    expect(await new AuditLog({ key: next, keyId: '2', sink }).verify()).toMatchObject({
      reason: 'unknown-key',
      index: 0,
    });
  });

  it('masks secrets before anything is written', async () => {
    const sink = new MemoryAuditSink();
    await logOf({ sink }).append({
      actor: 'a',
      action: 'login',
      data: { password: 'canary-1', url: 'https://u:canary-2@h/', nested: [{ apiKey: 'canary-3' }] },
    });
    expect(JSON.stringify(sink.records)).not.toContain('canary');
  });

  it('holds no more in memory than it was told', async () => {
    const sink = new MemoryAuditSink(2);
    const log = logOf({ sink });
    for (const action of ['first', 'second']) await log.append({ actor: 'a', action });
    await expect(log.append({ actor: 'a', action: 'third' })).rejects.toThrow(/audit record 3 was not written/);
    expect(sink.records.map(({ event }) => event.action)).toEqual(['first', 'second']);
  });

  it('takes the event as it is at the call', async () => {
    const sink = new MemoryAuditSink();
    const event = { actor: 'a', action: 'b', data: { n: 1 } };
    const writing = logOf({ sink }).append(event);
    event.data.n = 2;
    await writing;
    expect(sink.records[0]?.event.data).toEqual({ n: 1 });
  });

  it('rejects when the sink fails, and has no gap afterwards', async () => {
    const kept = new MemoryAuditSink();
    let mood: 'well' | 'refuses' | 'writes, then fails' = 'well';
    const sink: AuditSink = {
      append(record) {
        if (mood === 'refuses') throw new Error('disk full, password=canary-9');
        kept.append(record);
        if (mood === 'writes, then fails') throw new Error('timeout');
      },
      last: () => kept.last(),
      read: () => kept.read(),
    };
    const log = logOf({ sink });
    await log.append({ actor: 'a', action: '1' });
    mood = 'refuses';
    const error = await log.append({ actor: 'a', action: '2' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AuditError);
    expect(String(error)).not.toContain('canary');
    mood = 'writes, then fails';
    await expect(log.append({ actor: 'a', action: '3' })).rejects.toBeInstanceOf(AuditError);
    mood = 'well';
    await log.append({ actor: 'a', action: '4' });
    expect(kept.records.map(({ event }) => event.action)).toEqual(['1', '3', '4']);
    expect(await log.verify()).toMatchObject({ ok: true, records: 3 });
  });

  it('refuses what it cannot write', async () => {
    await expect(logOf().append({ actor: '', action: 'x' })).rejects.toBeInstanceOf(ConfigurationError);
    await expect(logOf().append(undefined as never)).rejects.toBeInstanceOf(ConfigurationError);
    await expect(logOf().append({ actor: 'a', action: 'b', data: Number.NaN })).rejects.toBeInstanceOf(ValidationError);
    for (const options of [
      { key: 'short' },
      { key: '' },
      { key: undefined },
      { key, previousKeys: { '1': key } },
      { key, sink: {} },
    ])
      expect(() => new AuditLog(options as never)).toThrow(ConfigurationError);
  });

  it('bounds its line, writes what waits when it closes, and is closed then', async () => {
    const sink = new MemoryAuditSink();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const log = logOf({
      maxQueue: 2,
      sink: {
        append: async (record) => {
          await gate;
          sink.append(record);
        },
      },
    });
    const first = [log.append({ actor: 'a', action: '1' }), log.append({ actor: 'a', action: '2' })];
    await expect(log.append({ actor: 'a', action: '3' })).rejects.toBeInstanceOf(QueueFullError);
    const closing = log.close();
    open();
    await Promise.all([...first, closing]);
    expect(sink.records).toHaveLength(2);
    await expect(log.append({ actor: 'a', action: '4' })).rejects.toBeInstanceOf(ClosedError);
    await log.close();
  });

  it('writes JSON in one spelling', () => {
    expect(canonicalJSON({ b: 1, a: [1e21, 0.1, -0, '\u20ac\n"'], '\u20ac': null, '\r': true, '1': false }, 'x')).toBe(
      '{"\\r":true,"1":false,"a":[1e+21,0.1,0,"\u20ac\\n\\""],"b":1,"\u20ac":null}',
    );
  });
});

describe('FileAuditSink', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audit-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('goes on where another process ended, behind a line that a crash left unfinished', async () => {
    const path = join(folder, 'a.jsonl');
    for (const action of ['one', 'two']) {
      await using sink = new FileAuditSink(path);
      await using log = logOf({ sink });
      await log.append({ actor: 'a', action });
      expect(await log.verify()).toMatchObject({ ok: true });
      await appendFile(path, '{"seq":3,"at":"20');
    }
    await using sink = new FileAuditSink(path);
    await using log = logOf({ sink });
    await log.append({ actor: 'a', action: 'three' });
    expect(await log.verify()).toMatchObject({ ok: true, records: 3 });
    expect((await stat(path)).mode & 0o077).toBe(0);
    const lines = (await readFile(path, 'utf8')).split('\n');
    await writeFile(path, lines.toSpliced(1, 1).join('\n'));
    expect(await log.verify()).toMatchObject({ ok: false, reason: 'missing', index: 1 });
  });

  it('does not go on behind a line that is no record', async () => {
    const path = join(folder, 'b.jsonl');
    await writeFile(path, 'garbage\n');
    await using sink = new FileAuditSink(path);
    await expect(logOf({ sink }).append({ actor: 'a', action: 'b' })).rejects.toBeInstanceOf(AuditError);
    await sink.close();
    expect(await readFile(path, 'utf8')).toBe('garbage\n');
  });
});
