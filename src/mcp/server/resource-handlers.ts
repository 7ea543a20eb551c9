import { invalidParams, type ServerSDK, type URITemplate } from '../sdk/server-sdk.js';
import type { ResourceContents, ToolContext } from '../tools/tool.js';
import { type CacheHint, toWireHint } from './cache-hint.js';
import { isModern } from './call-context.js';
import { listPage } from './list-page.js';
import type { Registry } from './registry.js';
import { readResource } from './resource.js';
import { matchTemplate, type ResourceTemplate, readTemplate } from './resource-template.js';
import type { HandlerSources, Served } from './served.js';

/** How many URIs one client may subscribe to. */
const maxSubscriptions = 1_000;

type Read = (context: () => ToolContext) => Promise<ResourceContents | undefined>;

/** Answers what clients ask about resources and their templates. */
export function serveResources(
  { connection, settings }: Served,
  { sdk, registry, calls, pageSize }: HandlerSources,
): void {
  connection.setRequestHandler('resources/list', ({ params }) => {
    const { items, next } = listPage(sdk, 'resources', registry().resources, params, pageSize);
    return { resources: items, ...next };
  });
  connection.setRequestHandler('resources/templates/list', ({ params }) => {
    const { items, next } = listPage(sdk, 'templates', registry().templates, params, pageSize);
    return { resourceTemplates: items, ...next };
  });
  connection.setDirectHandler('resources/read', async ({ uri }, request) => {
    if (typeof uri !== 'string') throw new sdk.ProtocolError(invalidParams, 'params.uri must be a text');
    const found = find(sdk, registry(), uri);
    if (!found) throw new sdk.ResourceNotFoundError(uri);
    const { read, cacheHint } = found;
    const identity = { method: 'resources/read', name: uri, arguments: undefined };
    return calls.read(
      `Resource '${uri.slice(0, 256)}'`,
      { request, connection, settings },
      identity,
      async (context) => {
        const contents = await read(() => context);
        if (!contents) throw new sdk.ResourceNotFoundError(uri);
        return { contents: [contents], ...(cacheHint && isModern(request) ? toWireHint(cacheHint) : {}) };
      },
    );
  });
  connection.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    if (!find(sdk, registry(), uri)) throw new sdk.ResourceNotFoundError(uri);
    settings.subscriptions ??= new Set();
    const { subscriptions } = settings;
    if (subscriptions.size >= maxSubscriptions && !subscriptions.has(uri))
      throw new sdk.ProtocolError(invalidParams, `No more than ${maxSubscriptions} subscriptions are kept`);
    subscriptions.add(uri);
    return {};
  });
  connection.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    settings.subscriptions?.delete(uri);
    return {};
  });
}

/** A resource of that URI, else the first template that it fits. */
function find(
  sdk: ServerSDK,
  { resources, templates }: Registry,
  uri: string,
): { readonly read: Read; readonly cacheHint: CacheHint | undefined } | undefined {
  const item = resources.get(uri)?.item;
  if (item) return { read: (context) => readResource(item, context), cacheHint: item.cacheHint };
  for (const { item: template } of templates.values()) {
    const variables = matchTemplate(parsed(sdk, template), uri);
    if (variables)
      return {
        read: (context) => readTemplate(template, uri, variables, context),
        cacheHint: template.cacheHint,
      };
  }
  return undefined;
}

const parsedTemplates: WeakMap<ResourceTemplate, URITemplate> = new WeakMap();

function parsed(sdk: ServerSDK, template: ResourceTemplate): URITemplate {
  let found = parsedTemplates.get(template);
  if (!found) {
    found = new sdk.UriTemplate(template.uriTemplate);
    parsedTemplates.set(template, found);
  }
  return found;
}
