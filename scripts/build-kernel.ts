/** Assembles the scan kernel and commits its bytes beside it. Run after a change of kernel.wat; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';
import { root } from './run.js';

const folder = join(root, 'src/memory/local/scan');

/** The bytes of src/memory/local/scan/kernel.wat. */
export async function assembleKernel(): Promise<Uint8Array> {
  const { parseWat } = await wabt();
  const module = parseWat('kernel.wat', readFileSync(join(folder, 'kernel.wat'), 'utf8'), { simd: true });
  try {
    module.validate();
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === import.meta.filename) {
  const bytes = await assembleKernel();
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,100}/g) ?? [];
  const text = lines.map((line) => `  '${line}'`).join(' +\n');
  writeFileSync(
    join(folder, 'kernel-bytes.ts'),
    `/** kernel.wat, assembled by scripts/build-kernel.ts: ${bytes.byteLength} bytes in base64. */\nexport const kernelBytes: string =\n${text};\n`,
  );
  console.log(`kernel-bytes.ts: ${bytes.byteLength} bytes`);
}
