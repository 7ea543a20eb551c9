import { ConfigurationError } from '../../core/index.js';
import type { Tool } from '../tools/tool.js';
import { describePrompt, describeResource, describeTemplate, describeTool, type ToolDescription } from './describe.js';
import type { Prompt } from './prompt.js';
import type { Resource } from './resource.js';
import type { ResourceTemplate } from './resource-template.js';

/** A thing a server offers, with the way it is listed. */
export interface Entry<Item, Description> {
  readonly item: Item;
  readonly description: Description;
  /** Its number in the order of adding, from 1; never given twice. */
  readonly place: number;
}

type Entries<Item, Description> = ReadonlyMap<string, Entry<Item, Description>>;

interface Contents {
  readonly tools: Entries<Tool, ToolDescription>;
  readonly resources: Entries<Resource, object>;
  readonly templates: Entries<ResourceTemplate, object>;
  readonly prompts: Entries<Prompt, object>;
  /** How many things were added so far, also those that are gone. */
  readonly added: number;
}

/** The kinds of things a server offers. */
export type Kind = Exclude<keyof Contents, 'added'>;

/**
 * All that a server offers at one moment. It never changes: adding or removing gives a new one, so a
 * request sees the same tools from its start to its end. Lists keep the order of adding.
 */
export class Registry implements Contents {
  static readonly empty: Registry = new Registry({
    tools: new Map(),
    resources: new Map(),
    templates: new Map(),
    prompts: new Map(),
    added: 0,
  });

  readonly tools: Entries<Tool, ToolDescription>;
  readonly resources: Entries<Resource, object>;
  readonly templates: Entries<ResourceTemplate, object>;
  readonly prompts: Entries<Prompt, object>;
  readonly added: number;

  private constructor(contents: Contents) {
    this.tools = contents.tools;
    this.resources = contents.resources;
    this.templates = contents.templates;
    this.prompts = contents.prompts;
    this.added = contents.added;
    Object.freeze(this);
  }

  /** @throws ConfigurationError for a name that is taken, or a schema that cannot be listed */
  withTools(tools: readonly Tool[]): Registry {
    const all = joined('tools', this, tools, ({ name }) => name, describeTool);
    return this.#with(tools, { tools: all });
  }

  /** @throws ConfigurationError for a name that is taken */
  withPrompts(prompts: readonly Prompt[]): Registry {
    const all = joined('prompts', this, prompts, ({ name }) => name, describePrompt);
    return this.#with(prompts, { prompts: all });
  }

  /** @throws ConfigurationError for a URI that is taken or not absolute */
  withResources(resources: readonly Resource[]): Registry {
    for (const { name, uri } of resources) assertAbsolute(`resource '${name}'`, 'uri', uri);
    const all = joined('resources', this, resources, ({ uri }) => uri, describeResource);
    return this.#with(resources, { resources: all });
  }

  /** @throws ConfigurationError for a template that is taken or not absolute */
  withTemplates(templates: readonly ResourceTemplate[]): Registry {
    for (const { name, uriTemplate } of templates) {
      const example = typeof uriTemplate === 'string' ? uriTemplate.replaceAll(/\{[^{}]*\}/g, 'x') : uriTemplate;
      assertAbsolute(`resource template '${name}'`, 'uriTemplate', example);
    }
    const all = joined('templates', this, templates, ({ uriTemplate }) => uriTemplate, describeTemplate);
    return this.#with(templates, { templates: all });
  }

  /** The same registry when there is no such thing. */
  without(kind: Kind, key: string): Registry {
    const all = new Map<string, never>(this[kind] as ReadonlyMap<string, never>);
    return all.delete(key) ? new Registry({ ...this, [kind]: all }) : this;
  }

  #with(items: readonly unknown[], changed: Partial<Contents>): Registry {
    return new Registry({ ...this, ...changed, added: this.added + items.length });
  }
}

function joined<Item extends { readonly name: string; readonly description?: string }, Description>(
  kind: Kind,
  there: Contents,
  added: readonly Item[],
  keyOf: (item: Item) => string,
  describe: (item: Item) => Description,
): Entries<Item, Description> {
  const all = new Map(there[kind] as Entries<unknown, unknown> as Entries<Item, Description>);
  for (const [index, item] of added.entries()) {
    const key = keyOf(item);
    const taken = all.get(key)?.item;
    if (taken) throw duplicate(kind, key, taken.description ?? taken.name, item.description ?? item.name);
    all.set(key, { item, description: describe(item), place: there.added + index + 1 });
  }
  return all;
}

function assertAbsolute(owner: string, field: string, uri: string): void {
  if (URL.canParse(uri) && !/[{}]/.test(uri)) return;
  throw new ConfigurationError(`${owner}: its ${field} must be absolute, for example memo://notes/1`, { field });
}

function duplicate(kind: Kind, name: string, first: string, second: string): Error {
  return new ConfigurationError(`Two ${kind} are named '${name}': "${first}" and "${second}"; rename one`, {
    field: `${kind}.${name}`,
  });
}
