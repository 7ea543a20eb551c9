import { kernelBytes } from './kernel-bytes.js';

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

let module: WebAssembly.Module | undefined | null;

/** The kernel over a memory of its own, or undefined where WebAssembly with SIMD cannot be had. */
export function createKernel(pages: number): { kernel: ScanKernel; memory: WebAssembly.Memory } | undefined {
  if (module === undefined) module = compile();
  if (module === null) return undefined;
  try {
    const memory = new WebAssembly.Memory({ initial: pages });
    const { exports } = new WebAssembly.Instance(module, { safla: { memory } });
    return { kernel: exports as unknown as ScanKernel, memory };
  } catch (error) {
    // No address space for one more memory: the plain scan needs none.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function compile(): WebAssembly.Module | null {
  if (typeof WebAssembly === 'undefined') return null;
  const bytes = Buffer.from(kernelBytes, 'base64');
  return WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
}
