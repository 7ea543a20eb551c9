/** What one caller waits at until it is worth looking again. */
export class Waker {
  #resume: (() => void) | undefined;

  /** Wakes who waits. Nothing is kept for who waits later. */
  wake(): void {
    this.#resume?.();
  }

  /** Resolves when woken, or when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve) => {
      const resume = (): void => {
        signal.removeEventListener('abort', resume);
        this.#resume = undefined;
        resolve();
      };
      this.#resume = resume;
      signal.addEventListener('abort', resume, { once: true });
    });
  }
}
