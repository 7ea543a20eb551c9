import { ConfigurationError } from '../../core/index.js';
import type { AccessCondition, AccessRole, AccessRule } from './access-policy.js';

/** `order:read`, `order:*`, `*`. */
const pattern = /^(?:\*|[^\s*:]+(?::[^\s*:]+)*(?::\*)?)$/;

/** The rules of a role with all that it inherits, by action: an answer takes one look per level of its name. */
export class CompiledRules<Subject, Resource> {
  readonly #allow: RulesByAction<Subject, Resource> = new RulesByAction();
  readonly #deny: RulesByAction<Subject, Resource> = new RulesByAction();

  constructor(roles: readonly AccessRole<Subject, Resource>[]) {
    for (const { allow = [], deny = [] } of roles) {
      for (const rule of allow) this.#allow.add(rule);
      for (const rule of deny) this.#deny.add(rule);
    }
  }

  allows(subject: Subject, action: string, resource: Resource | undefined): boolean {
    return this.#allow.some(action, (when) => holds(when, subject, resource, false));
  }

  denies(subject: Subject, action: string, resource: Resource | undefined): boolean {
    return this.#deny.some(action, (when) => holds(when, subject, resource, true));
  }
}

type Conditions<Subject, Resource> = AccessCondition<Subject, Resource>[];

class RulesByAction<Subject, Resource> {
  readonly #rules: Map<string, Conditions<Subject, Resource>> = new Map();

  /** @throws ConfigurationError */
  add(rule: AccessRule<Subject, Resource>): void {
    const { action, when } = typeof rule === 'string' ? { action: rule, when: always } : (rule ?? {});
    if (typeof action !== 'string' || !pattern.test(action) || typeof when !== 'function')
      throw new ConfigurationError("a rule must be 'area:verb', 'area:*', '*', or { action, when }", {
        field: 'roles',
      });
    const conditions = this.#rules.get(action) ?? [];
    this.#rules.set(action, [...conditions, when]);
  }

  some(action: string, test: (when: AccessCondition<Subject, Resource>) => boolean): boolean {
    if (this.#rules.size === 0) return false;
    if (this.#rules.get(action)?.some(test) || this.#rules.get('*')?.some(test)) return true;
    for (let end = action.lastIndexOf(':'); end > 0; end = action.lastIndexOf(':', end - 1))
      if (this.#rules.get(`${action.slice(0, end)}:*`)?.some(test)) return true;
    return false;
  }
}

function always(): boolean {
  return true;
}

function holds<S, R>(when: AccessCondition<S, R>, subject: S, resource: R | undefined, onFailure: boolean): boolean {
  try {
    const answer: unknown = when(subject, resource);
    // A denial that is not a clear no stays a denial.
    return onFailure ? answer !== false && answer !== undefined : answer === true;
  } catch {
    return onFailure;
  }
}
