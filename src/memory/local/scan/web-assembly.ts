/** A module's linear memory. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer;
  /** @param pages of 64 KiB, added at the end; throws RangeError when they cannot be had */
  grow(pages: number): number;
}

/** Code that was compiled. */
export type CompiledModule = object;

/** What is used of the platform's `WebAssembly`. TypeScript has its types in the library of browsers only. */
export interface WebAssemblyPlatform {
  readonly Memory: new (descriptor: { readonly initial: number }) => LinearMemory;
  readonly Module: new (bytes: Uint8Array) => CompiledModule;
  readonly Instance: new (module: CompiledModule, imports: object) => { readonly exports: object };
  validate(bytes: Uint8Array): boolean;
}

/** Undefined where the process was started without it. */
export function webAssembly(): WebAssemblyPlatform | undefined {
  return (globalThis as { readonly WebAssembly?: WebAssemblyPlatform }).WebAssembly;
}
