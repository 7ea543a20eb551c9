import type { Logger } from '../core/index.js';
import { type Agent, dispatcherOf } from './agent.js';
import type { Dispatcher } from './dispatcher.js';
import { TaskRejectedError } from './errors/task-rejected-error.js';
import type { RunOwner, TaskRouter } from './run-owner.js';
import type { Task, TaskState } from './task.js';
import type { TaskRun } from './task-run.js';

type Member = Agent<never, unknown>;

/** An agent of the pool, with what it has to do for it. */
interface Place {
  readonly agent: Member;
  readonly dispatcher: Dispatcher;
  readonly order: number;
  tasks: number;
  onEmpty: (() => void) | undefined;
}

/** Finds an agent for each task of a pool and follows the task to its end. */
export class PoolRouter implements TaskRouter, RunOwner {
  readonly maxDepth: number;
  readonly #logger: Logger;
  readonly #places: Map<string, Place> = new Map();
  /** Every task that is not final, with where it is; undefined while that is being found out. */
  readonly #runs: Map<TaskRun, Place | undefined> = new Map();
  #added = 0;
  #idle: (() => void)[] = [];

  constructor(maxDepth: number, logger: Logger) {
    this.maxDepth = maxDepth;
    this.#logger = logger;
  }

  get agents(): readonly Member[] {
    return Array.from(this.#places.values(), ({ agent }) => agent);
  }

  get size(): number {
    return this.#runs.size;
  }

  add(agent: Member): void {
    const dispatcher = dispatcherOf(agent as unknown as Agent<unknown, unknown>);
    this.#places.set(agent.id, { agent, dispatcher, order: this.#added++, tasks: 0, onEmpty: undefined });
  }

  /** @returns undefined when there is no such agent, else a promise for its last task */
  remove(id: string): Promise<void> | undefined {
    const place = this.#places.get(id);
    if (!place) return undefined;
    this.#places.delete(id);
    if (place.tasks === 0) return Promise.resolve();
    return new Promise((resolve) => {
      place.onEmpty = resolve;
    });
  }

  route(run: TaskRun): void {
    run.router = this;
    run.arm(undefined);
    this.#runs.set(run, undefined);
    run.follow(this);
    if (run.final) this.changed(run);
    else this.#find(run, this.#candidates(run));
  }

  changed(run: TaskRun): void {
    if (!run.final) return;
    const place = this.#runs.get(run);
    this.#runs.delete(run);
    if (place) {
      place.tasks -= 1;
      if (place.tasks === 0) place.onEmpty?.();
    }
    if (this.#runs.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  cancel(reason: unknown, state?: TaskState): void {
    for (const run of [...this.#runs.keys()]) if (!state || run.state === state) run.cancel(reason);
  }

  idle(): Promise<void> {
    if (this.#runs.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Those with its capability that are open, the best first; agents that handed it on come last, the one that did so just now behind them all. */
  #candidates(run: TaskRun): Place[] {
    const { capability } = run.task;
    const able = [...this.#places.values()].filter(
      ({ agent }) => isOpen(agent) && (capability === undefined || agent.capabilities.includes(capability)),
    );
    if (able.length < 2) return able;
    const { handedOnBy } = run;
    if (handedOnBy.length === 0) return able.sort(byPreference);
    const nearness = ({ agent }: Place): number => {
      const stepsBack = handedOnBy.indexOf(agent.id);
      return stepsBack < 0 ? 0 : handedOnBy.length - stepsBack;
    };
    return able.sort((a, b) => nearness(a) - nearness(b) || byPreference(a, b));
  }

  /** Asks one after another; at once as long as they answer at once. */
  #find(run: TaskRun, candidates: readonly Place[], from: number = 0): void {
    for (let index = from; index < candidates.length; index++) {
      const place = candidates[index] as Place;
      if (!this.#takes(place)) continue;
      const wants = this.#asks(run, place);
      if (typeof wants !== 'boolean') {
        wants.then((yes) => {
          if (run.final) return;
          if (yes && this.#takes(place)) this.#give(run, place);
          else this.#find(run, candidates, index + 1);
        });
        return;
      }
      if (wants) {
        this.#give(run, place);
        return;
      }
    }
    run.reject(new TaskRejectedError(this.#refusal(run.task, candidates), 'no-agent'));
  }

  #asks(run: TaskRun, { agent }: Place): boolean | Promise<boolean> {
    const failed = (error: unknown): boolean => {
      this.#logger.error({ agent: agent.id, task: run.id, type: run.task.type, error }, 'canHandle of an agent failed');
      return false;
    };
    try {
      const answer = agent.canHandle(run.task as Task<never>);
      return typeof answer === 'object' ? Promise.resolve(answer).then(Boolean, failed) : Boolean(answer);
    } catch (error) {
      return failed(error);
    }
  }

  /** It may have left, or begun to drain, while others were asked. */
  #takes(place: Place): boolean {
    return this.#places.get(place.agent.id) === place && isOpen(place.agent);
  }

  #give(run: TaskRun, place: Place): void {
    this.#runs.set(run, place);
    place.tasks += 1;
    place.dispatcher.accept(run, true);
  }

  #refusal({ id, type, capability }: Task<unknown>, asked: readonly Place[]): string {
    const what = `task '${id}' of type '${type}'`;
    if (this.#places.size === 0) return `Nobody can do ${what}: the pool has no agents`;
    if (asked.length > 0) {
      const able = capability === undefined ? '' : ` with the capability '${capability}'`;
      return `Nobody can do ${what}: canHandle of ${names(asked)}${able} refused it`;
    }
    const open = [...this.#places.values()].filter(({ agent }) => isOpen(agent));
    if (capability === undefined || open.length === 0) return `Nobody can do ${what}: no agent of the pool is open`;
    const known = new Set(open.flatMap(({ agent }) => agent.capabilities));
    return `Nobody can do ${what}: no agent has the capability '${capability}'; known: ${[...known].join(', ') || 'none'}`;
  }
}

function isOpen(agent: Member): boolean {
  const { status } = agent;
  return status !== 'closed' && status !== 'draining';
}

/** Room in the queue first, a free place before none, then the agent's priority, then how full it is, then who came first. */
function byPreference(a: Place, b: Place): number {
  if (a.dispatcher.isFull !== b.dispatcher.isFull) return a.dispatcher.isFull ? 1 : -1;
  const loadA = loadOf(a);
  const loadB = loadOf(b);
  if (loadA < 1 !== loadB < 1) return loadA < 1 ? -1 : 1;
  return b.agent.priority - a.agent.priority || loadA - loadB || a.order - b.order;
}

/** Tasks per place: below 1, one is free. */
function loadOf({ agent, dispatcher }: Place): number {
  return (dispatcher.running + dispatcher.waiting) / agent.maxConcurrentTasks;
}

function names(places: readonly Place[]): string {
  const shown = places.slice(0, 5).map(({ agent }) => `'${agent.id}'`);
  return shown.join(', ') + (places.length > shown.length ? ` and ${places.length - shown.length} more` : '');
}
