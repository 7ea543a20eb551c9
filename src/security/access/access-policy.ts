import { AccessDeniedError, ConfigurationError } from '../../core/index.js';
import { checkOptions, is, type OptionChecks } from '../../core/internal.js';
import { CompiledRules } from './compiled-rules.js';

/** Who asks. */
export interface AccessSubject {
  readonly roles?: readonly string[];
}

/** Whether a rule applies. Only `true` says yes: a promise does not, so look up what you need before you ask. */
export type AccessCondition<Subject, Resource> = (subject: Subject, resource: Resource | undefined) => boolean;

/**
 * What may be done: `order:read`; `order:*` is everything below `order:`, `*` is everything. With `when` only for
 * some resources.
 */
export type AccessRule<Subject, Resource> =
  | string
  | { readonly action: string; readonly when: AccessCondition<Subject, Resource> };

/** The rules of one role. */
export interface AccessRole<Subject, Resource> {
  /** Roles whose rules this one has too. */
  readonly inherits?: readonly string[];
  readonly allow?: readonly AccessRule<Subject, Resource>[];
  /** What this role must not do, whatever another role allows. */
  readonly deny?: readonly AccessRule<Subject, Resource>[];
}

/** Settings of {@link AccessPolicy}. */
export interface AccessPolicyOptions<Subject, Resource> {
  /** Roles by name. A subject's role that is none of them has no rules. */
  readonly roles: Readonly<Record<string, AccessRole<Subject, Resource>>>;
}

const optionChecks: OptionChecks<AccessPolicyOptions<never, never>> = { roles: is.required(is.object) };

/**
 * Who may do what. What no rule allows is denied; a rule of `deny` wins over all that allow, in every role of the
 * subject. A condition that throws allows nothing, and denies.
 *
 * @throws ConfigurationError for a rule that cannot be read, an unknown role to inherit, or a circle
 * @example
 * const access = new AccessPolicy<User, Order>({ roles: {
 *   customer: { allow: [{ action: 'order:read', when: (user, order) => order?.owner === user.id }] },
 *   clerk: { inherits: ['customer'], allow: ['order:*'], deny: ['order:delete'] },
 * } });
 * access.assert(user, 'order:read', order);
 */
export class AccessPolicy<Subject extends AccessSubject = AccessSubject, Resource = unknown> {
  readonly #roles: ReadonlyMap<string, CompiledRules<Subject, Resource>>;

  constructor(options: AccessPolicyOptions<Subject, Resource>) {
    checkOptions('AccessPolicy', options, optionChecks as OptionChecks<AccessPolicyOptions<Subject, Resource>>);
    const roles = new Map(Object.entries(options.roles));
    this.#roles = new Map([...roles.keys()].map((name) => [name, new CompiledRules(lineage(name, roles))]));
  }

  /** True when a rule allows it and none denies it. Never throws. */
  can(subject: Subject, action: string, resource?: Resource): boolean {
    const names: unknown = subject?.roles;
    if (!Array.isArray(names) || typeof action !== 'string' || !isAction(action)) return false;
    let allowed = false;
    for (const name of names) {
      const rules = this.#roles.get(name);
      if (rules?.denies(subject, action, resource)) return false;
      allowed ||= rules?.allows(subject, action, resource) ?? false;
    }
    return allowed;
  }

  /** @throws AccessDeniedError that names the action, and nothing of subject and resource */
  assert(subject: Subject, action: string, resource?: Resource): void {
    if (this.can(subject, action, resource)) return;
    throw new AccessDeniedError(isAction(action) ? `'${action}' is not allowed` : 'this is not allowed');
  }
}

/** What may be asked for: a wildcard may not, since it would match a rule by its spelling. */
function isAction(action: unknown): boolean {
  return typeof action === 'string' && action !== '' && action.length <= 256 && !action.includes('*');
}

/** A role and all that it inherits from. */
function lineage<S, R>(name: string, roles: ReadonlyMap<string, AccessRole<S, R>>): AccessRole<S, R>[] {
  const done = new Set<AccessRole<S, R>>();
  const visit = (one: string, above: readonly string[]): void => {
    const field = `AccessPolicy.roles.${above.at(-1) ?? one}`;
    if (above.includes(one))
      throw new ConfigurationError(`${field} inherits itself: ${[...above, one].join(' > ')}`, { field });
    const role = roles.get(one);
    if (!role) throw new ConfigurationError(`${field} inherits '${one}', which is not a role`, { field });
    checkOptions<AccessRole<S, R>>(field, role, { inherits: is.list, allow: is.list, deny: is.list });
    if (done.has(role)) return;
    for (const parent of role.inherits ?? []) visit(parent, [...above, one]);
    done.add(role);
  };
  visit(name, []);
  return [...done];
}
