const nouns = [
  'invoice',
  'order',
  'customer',
  'product',
  'refund',
  'shipment',
  'warehouse',
  'coupon',
  'ticket',
  'user',
];
const verbs = ['list', 'get', 'create', 'replace', 'cancel', 'remove'] as const;
const methodOf = { list: 'get', get: 'get', create: 'post', replace: 'put', cancel: 'post', remove: 'delete' } as const;

/**
 * An OpenAPI document with as many operations as asked for: nested and recursive schemas, parameters in
 * every place, long descriptions, and half of them without an `operationId`.
 */
export function largeDocument(operations: number): object {
  const paths: Record<string, Record<string, object>> = {};
  for (let i = 0; i < operations; i++) {
    const noun = nouns[i % nouns.length] ?? '';
    const verb = verbs[Math.floor(i / nouns.length) % verbs.length] ?? 'get';
    const tenant = Math.floor(i / (nouns.length * verbs.length));
    const hasId = verb !== 'list' && verb !== 'create';
    const path = `/tenants/${tenant}/${noun}s${hasId ? '/{id}' : ''}${verb === 'cancel' ? '/cancel' : ''}`;
    const method = methodOf[verb];
    const capital = noun.charAt(0).toUpperCase() + noun.slice(1);
    const named = i % 2 === 0 || verb === 'cancel';
    paths[path] = {
      ...paths[path],
      [method]: {
        ...(named ? { operationId: `${verb}${capital}${tenant}` } : {}),
        summary: `${verb} ${verb === 'list' ? `${noun}s` : `a ${noun}`} of tenant ${tenant}`,
        description: `Some words on it. `.repeat(i % 100),
        parameters: [
          { name: 'X-Trace', in: 'header', schema: { type: 'string' } },
          { name: 'filter', in: 'query', style: 'deepObject', schema: { $ref: '#/components/schemas/Node' } },
        ],
        ...(method === 'post' || method === 'put'
          ? { requestBody: { required: true, content: { 'application/json': { schema: bodyOf(noun) } } } }
          : {}),
        responses: { 200: { description: 'It', content: { 'application/json': { schema: { type: 'object' } } } } },
      },
    };
  }
  return {
    openapi: '3.0.3',
    info: { title: 'Large', version: '1' },
    paths,
    components: {
      schemas: {
        Node: {
          type: 'object',
          properties: {
            value: { type: 'string', nullable: true },
            next: { $ref: '#/components/schemas/Node' },
            more: { type: 'array', items: { $ref: '#/components/schemas/Node' } },
          },
        },
      },
    },
  };
}

function bodyOf(noun: string): object {
  return {
    type: 'object',
    properties: { reason: { type: 'string' }, [noun]: { $ref: '#/components/schemas/Node' } },
  };
}
