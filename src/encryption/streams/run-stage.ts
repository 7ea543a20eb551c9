import type { CallScope } from '../../core/index.js';
import { invalid } from '../bytes.js';
import { breathe, sliceBytes } from '../messages/breathe.js';
import { PartReader } from './part-reader.js';
import type { Stage } from './stage.js';

/** A source that never waits would hold the event loop: after a part of a millisecond others get their turn. */
const breathBytes = 2 ** 19;

/** Bytes from anywhere: a Node or web stream, a generator, an array of pieces. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Ends with `scope`; throws when the owner was closed. */
export interface StageRun {
  readonly stage: Stage;
  readonly scope: CallScope;
  readonly assertOpen: () => void;
}

/** What a stage makes of a source, as it is asked for. The source is ended when the reader stops early. */
export function runStage(source: ByteSource, open: () => StageRun): AsyncIterableIterator<Uint8Array> {
  return new PartReader(batchesOf(source, open));
}

/** What each piece of the source gives. Not joined: that would copy every byte once more. */
async function* batchesOf(source: ByteSource, open: () => StageRun): AsyncGenerator<readonly Uint8Array[]> {
  const pieces = iteratorOf(source);
  const isAsync = Symbol.asyncIterator in source;
  const { stage, scope, assertOpen } = open();
  let done = false;
  try {
    let sinceBreath = 0;
    for (;;) {
      // A source that does not wait is not waited for.
      const next = isAsync ? await scope.run(() => pieces.next()) : (pieces as Iterator<Uint8Array>).next();
      scope.throwIfCancelled();
      assertOpen();
      if (next.done) break;
      for (const slice of slicesOf(next.value)) {
        const pushed = stage.push(slice);
        yield pushed instanceof Promise ? await pushed : pushed;
        sinceBreath += slice.length;
        if (sinceBreath >= breathBytes) {
          sinceBreath = 0;
          await breathe(scope);
        }
      }
    }
    done = true;
    yield await stage.end();
  } finally {
    stage.wipe();
    scope[Symbol.dispose]();
    // Not awaited: a source that is stuck must not hold back an abort.
    if (!done) void endSource(pieces);
  }
}

/** A stage to pipe through. Its queues hold one piece, so that a slow reader slows the writer. */
export function stageTransform({ stage, scope, assertOpen }: StageRun): TransformStream<Uint8Array, Uint8Array> {
  const end = (): void => {
    stage.wipe();
    scope[Symbol.dispose]();
  };
  return new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      scope.onCancel((reason) => {
        stage.wipe();
        controller.error(reason);
      });
    },
    async transform(piece, controller) {
      try {
        assertOpen();
        for (const slice of slicesOf(piece)) {
          const out = await scope.run(async () => await stage.push(slice));
          for (const part of out) controller.enqueue(part);
          if (piece.length > slice.length) await breathe(scope);
        }
      } catch (error) {
        end();
        throw error;
      }
    },
    async flush(controller) {
      try {
        assertOpen();
        for (const part of await scope.run(async () => await stage.end())) {
          if (part.length > 0) controller.enqueue(part);
        }
      } finally {
        end();
      }
    },
  });
}

function iteratorOf(source: ByteSource): AsyncIterator<Uint8Array> | Iterator<Uint8Array> {
  if (source && typeof source === 'object') {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
    if (Symbol.iterator in source && !(source instanceof Uint8Array)) return source[Symbol.iterator]();
  }
  throw invalid('source', 'must be a stream or an iterable of Uint8Array pieces');
}

function* slicesOf(piece: unknown): Generator<Uint8Array> {
  if (!(piece instanceof Uint8Array)) throw invalid('stream', 'must carry Uint8Array pieces, not texts or objects');
  for (let at = 0; at < piece.length; at += sliceBytes) yield piece.subarray(at, at + sliceBytes);
}

async function endSource(pieces: AsyncIterator<Uint8Array> | Iterator<Uint8Array>): Promise<void> {
  try {
    await pieces.return?.();
  } catch {
    // The reader has gone: nobody is left to tell.
  }
}
