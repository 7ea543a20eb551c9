import { EventEmitter } from 'node:events';

/** Event names and the arguments their listeners get. */
export type EventMap<T> = { readonly [K in keyof T]: unknown[] };

/**
 * An `EventEmitter` with typed events that cannot hurt its owner: a listener that throws or rejects
 * neither breaks the emitting class nor keeps the other listeners from running, and `error` without
 * a listener is not thrown. What a listener threw goes to `onListenerError`.
 */
export class TypedEmitter<Events extends EventMap<Events>> extends EventEmitter {
  override on<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): this {
    return super.on(event, listener as (...args: unknown[]) => void);
  }

  override once<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): this {
    return super.once(event, listener as (...args: unknown[]) => void);
  }

  override off<K extends keyof Events & string>(event: K, listener: (...args: Events[K]) => void): this {
    return super.off(event, listener as (...args: unknown[]) => void);
  }

  /** Calls the listeners in order. True when there was one. Never throws. */
  override emit<K extends keyof Events & string>(event: K, ...args: Events[K]): boolean {
    const listeners = this.rawListeners(event) as ((...args: unknown[]) => unknown)[];
    for (const listener of listeners) {
      try {
        const result = listener.apply(this, args);
        if (result instanceof Promise) result.catch((error: unknown) => this.onListenerError(error, event));
      } catch (error) {
        this.onListenerError(error, event);
      }
    }
    return listeners.length > 0;
  }

  /** Override to report what a listener threw. Does nothing by itself. */
  protected onListenerError(_error: unknown, _event: string): void {}
}
