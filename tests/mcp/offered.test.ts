import { definePrompt, defineTool, MCPServer, type MCPServerOptions, type Tool } from '@safla/sdk/mcp';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/core/index.js';

const tool = (name: string, description = name): Tool => defineTool({ name, description }, () => name);
const make = (options: object): MCPServer =>
  new MCPServer({ name: 's', version: '1', ...(options as Partial<MCPServerOptions>) });
const tools = (...list: unknown[]): (() => MCPServer) => {
  return () => make({ tools: list });
};
const promise = Promise.resolve([tool('a')]);

describe('what is no tool', () => {
  it.each([
    ['a forgotten await', tools(tool('a'), promise), "tools[1] is a promise: put 'await' before it"],
    ['a forgotten await inside a set', tools([tool('a'), promise]), "tools[0][1] is a promise: put 'await'"],
    ['a promise in place of the list', () => make({ tools: promise }), "tools is a promise: put 'await'"],
    ['undefined', tools(undefined), 'tools[0] is undefined: give a tool, as defineTool makes it'],
    ['null', tools(null), 'tools[0] is null: give a tool'],
    ['a text', tools('add'), 'tools[0] is string: give a tool'],
    ['a function', tools(tool('a'), Math.max), "tools[1] is the function 'max': call it, or give a tool"],
    ['a tool without a handler', tools({ name: 'x' }), "tools[0] ('x') has no handler: give a tool"],
    ['a handler that is none', tools({ name: 'x', handler: 1 }), "tools[0] ('x') has no handler that is a function"],
    ['an object of another kind', tools(new Map()), 'tools[0] has no name: give a tool'],
  ])('%s is refused where the server is made, with its place', (_, making, message) => {
    expect(making).toThrow(ConfigurationError);
    expect(making).toThrow(message);
  });

  it('two tools of one name are told with their places', () => {
    const twice = tools(tool('a', 'First'), [tool('b'), tool('a', 'Second')]);
    expect(twice).toThrow(
      `Two tools are named 'a': "First" and "Second" (MCPServer.tools[0] and MCPServer.tools[1][1]); rename`,
    );
  });

  it('is refused by addTool and its like as well', () => {
    const server = make({});
    expect(() => server.addTool(promise as never)).toThrow("addTool: tool is a promise: put 'await'");
    expect(() => server.addPrompt({ name: 'p' } as never)).toThrow("addPrompt: prompt ('p') has no handler");
    expect(() => server.addResource('memo://a', { name: 'A' } as never)).toThrow('has no content');
    expect(() => server.addResourceTemplate(undefined as never)).toThrow('template is undefined');
  });
});

describe('what is no prompt or resource', () => {
  it.each([
    [{ prompts: [definePrompt] }, "prompts[0] is the function 'definePrompt': call it"],
    [{ prompts: [promise] }, 'prompts[0] is a promise'],
    [{ resources: [{ uri: 'memo://a', name: 'A' }] }, "resources[0] ('memo://a') has no content"],
    [{ resources: [undefined] }, 'resources[0] is undefined: give { uri, name, content }'],
    [{ resourceTemplates: [{ name: 'x', content: () => '' }] }, 'resourceTemplates[0] has no uriTemplate'],
    [
      { resourceTemplates: {} },
      'resourceTemplates is no array: give an array, each entry of which is { uriTemplate, name, content }',
    ],
  ])('%j', (options, message) => {
    expect(() => make(options)).toThrow(ConfigurationError);
    expect(() => make(options)).toThrow(message);
  });
});
