import { ConfigurationError } from '../../core/index.js';
import type { Tool } from '../tools/tool.js';
import { describePrompt, describeResource, describeTool, type ToolDescription } from './describe.js';
import type { Prompt } from './prompt.js';
import type { Resource } from './resource.js';

/** A thing a server offers, with the way it is listed. */
export interface Entry<Item, Description> {
  readonly item: Item;
  readonly description: Description;
}

type Entries<Item, Description> = ReadonlyMap<string, Entry<Item, Description>>;

interface Contents {
  readonly tools: Entries<Tool, ToolDescription>;
  readonly resources: Entries<Resource, object>;
  readonly prompts: Entries<Prompt, object>;
}

/**
 * All that a server offers at one moment. It never changes: adding or removing gives a new one, so a
 * request sees the same tools from its start to its end. Lists keep the order of adding.
 */
export class Registry {
  static readonly empty: Registry = new Registry({ tools: new Map(), resources: new Map(), prompts: new Map() });

  readonly tools: Entries<Tool, ToolDescription>;
  readonly resources: Entries<Resource, object>;
  readonly prompts: Entries<Prompt, object>;

  private constructor(contents: Contents) {
    this.tools = contents.tools;
    this.resources = contents.resources;
    this.prompts = contents.prompts;
    Object.freeze(this);
  }

  /** @throws ConfigurationError for a name that is taken, or a schema that cannot be listed */
  withTools(tools: readonly Tool[]): Registry {
    const all = new Map(this.tools);
    for (const item of tools) {
      const taken = all.get(item.name)?.item;
      if (taken) throw duplicate('tools', item.name, taken.description, item.description);
      all.set(item.name, { item, description: describeTool(item) });
    }
    return new Registry({ ...this, tools: all });
  }

  /** @throws ConfigurationError for a name that is taken */
  withPrompts(prompts: readonly Prompt[]): Registry {
    const all = new Map(this.prompts);
    for (const item of prompts) {
      const taken = all.get(item.name)?.item;
      if (taken) throw duplicate('prompts', item.name, taken.description, item.description);
      all.set(item.name, { item, description: describePrompt(item) });
    }
    return new Registry({ ...this, prompts: all });
  }

  /** @throws ConfigurationError for a URI that is taken or not absolute */
  withResources(resources: readonly Resource[]): Registry {
    const all = new Map(this.resources);
    for (const item of resources) {
      const taken = all.get(item.uri)?.item;
      if (taken) throw duplicate('resources', item.uri, taken.name, item.name);
      if (!URL.canParse(item.uri)) {
        throw new ConfigurationError(`resource '${item.name}': its uri must be absolute, for example memo://notes/1`, {
          field: 'uri',
        });
      }
      all.set(item.uri, { item, description: describeResource(item) });
    }
    return new Registry({ ...this, resources: all });
  }

  /** The same registry when there is no such resource. */
  withoutResource(uri: string): Registry {
    const all = new Map(this.resources);
    return all.delete(uri) ? new Registry({ ...this, resources: all }) : this;
  }
}

function duplicate(kind: string, name: string, first: string | undefined, second: string | undefined): Error {
  return new ConfigurationError(`Two ${kind} are named '${name}': "${first ?? ''}" and "${second ?? ''}"; rename one`, {
    field: `${kind}.${name}`,
  });
}
