import { kernelBytes } from './kernel-bytes.js';
import { type CompiledModule, type LinearMemory, type WebAssemblyPlatform, webAssembly } from './web-assembly.js';

/** One pass over rows; all places are byte offsets in the kernel's memory. See kernel.wat. */
type Scan = (
  codes: number,
  stride: number,
  query: number,
  scales: number,
  errors: number,
  offsets: number,
  fromOrList: number,
  toOrCount: number,
  alpha: number,
  beta: number,
  least: number,
  out: number,
  bounds: number,
) => number;

/** The scan over one memory. */
export interface ScanKernel {
  readonly scan: Scan;
  readonly scanListed: Scan;
}

let compiled: CompiledModule | undefined | null;

/** The kernel over a memory of its own, or undefined where WebAssembly with SIMD cannot be had. */
export function createKernel(pages: number): { kernel: ScanKernel; memory: LinearMemory } | undefined {
  const platform = webAssembly();
  if (!platform) return undefined;
  if (compiled === undefined) compiled = compile(platform);
  if (compiled === null) return undefined;
  try {
    const memory = new platform.Memory({ initial: pages });
    const { exports } = new platform.Instance(compiled, { safla: { memory } });
    return { kernel: exports as ScanKernel, memory };
  } catch (error) {
    // No address space for one more memory: the plain scan needs none.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function compile(platform: WebAssemblyPlatform): CompiledModule | null {
  const bytes = Buffer.from(kernelBytes, 'base64');
  return platform.validate(bytes) ? new platform.Module(bytes) : null;
}
