import { invalid } from '../bytes.js';

type Change = (value: unknown, path: string) => Promise<unknown>;

/** The fields of a path list, as keys after each other. `*` stands for every element or key. */
interface PathTree {
  readonly children: Map<string, PathTree>;
  leaf: boolean;
}

/**
 * A copy in which the fields at these paths are changed; what lies beside the paths is shared with the
 * original. Fields that are missing or undefined stay so. Changes run one after the other.
 *
 * @param paths `ssn`, `card.number`, `items.*.note`
 * @throws ValidationError for paths that are empty or lie within one another
 */
export async function changeFields(value: object, paths: readonly string[], change: Change): Promise<object> {
  if (typeof value !== 'object' || value === null) throw invalid('value', 'must be an object');
  return (await walk(value, treeOf(paths), '', change)) as object;
}

async function walk(value: unknown, tree: PathTree, path: string, change: Change): Promise<unknown> {
  if (tree.leaf) return change(value, path);
  if (typeof value !== 'object' || value === null) return value;
  const copy: object = Array.isArray(value)
    ? [...value]
    : Object.create(Object.getPrototypeOf(value), Object.getOwnPropertyDescriptors(value));
  for (const [name, child] of tree.children) {
    for (const key of name === '*' ? Object.keys(value) : [name]) {
      if (!Object.hasOwn(value, key)) continue;
      const member = (value as Record<string, unknown>)[key];
      if (member === undefined) continue;
      const changed = await walk(member, child, path === '' ? key : `${path}.${key}`, change);
      Object.defineProperty(copy, key, { value: changed, enumerable: true, configurable: true, writable: true });
    }
  }
  return copy;
}

function treeOf(paths: readonly string[]): PathTree {
  const root: PathTree = { children: new Map(), leaf: false };
  if (!Array.isArray(paths) || paths.length === 0) throw invalid('paths', 'must be an array with at least one path');
  for (const path of paths as readonly unknown[]) {
    const keys = typeof path === 'string' ? path.split('.') : [''];
    if (keys.includes('')) throw invalid('paths', "must be texts such as 'ssn', 'card.number' or 'items.*.note'");
    let node = root;
    for (const key of keys) {
      const child: PathTree = node.children.get(key) ?? { children: new Map(), leaf: false };
      node.children.set(key, child);
      node = child;
    }
    node.leaf = true;
  }
  assertApart(root);
  return root;
}

/** Two paths must not reach the same field: it would be sealed twice. */
function assertApart({ children, leaf }: PathTree): void {
  if (leaf && children.size > 0) throw invalid('paths', 'must not lie within one another');
  if (children.has('*') && children.size > 1)
    throw invalid('paths', "must not name keys beside a '*' at the same place");
  for (const child of children.values()) assertApart(child);
}
