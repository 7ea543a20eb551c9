import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { parse as parseYAML } from 'yaml';

/**
 * Every `ts` block of the pages is type-checked, all in one program and under tsconfig.json.
 *
 * A page reads from top to bottom: a block knows what the blocks above it import and declare, and a name that is
 * declared again hides the one above. What a page takes as given (`signal`, your own `Order`) stands in a
 * comment `<!-- ts … -->`, which readers do not see; `<!-- ts orders.ts … -->` is a file of the reader's own, to
 * be imported. `ts fragment` is for a block over packages that this one does not install.
 */
const root = fileURLToPath(new URL('../../', import.meta.url));
const names = ['README.md', ...readdirSync(`${root}docs`).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const pages = new Map(names.map((name) => [name, readFileSync(root + name, 'utf8')]));
const maxFragments = 4;

interface Block {
  readonly kind: 'shown' | 'given';
  /** The words behind the opening fence or `<!--`. */
  readonly info: string;
  /** Number of the first line of `text` in its page. */
  readonly line: number;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  const found = page.matchAll(/^(```|<!-- )(\S+.*)\n([\s\S]*?)^(?:```|-->)$/gm);
  return [...found].map(({ index, 1: opening, 2: info = '', 3: text = '' }) => {
    const line = page.slice(0, index).split('\n').length + 1;
    return { kind: opening === '```' ? 'shown' : 'given', info, line, text };
  });
}

interface Line {
  readonly text: string;
  /** Number of the line of the page that it comes from. */
  readonly from: number;
}

interface Import {
  readonly name: string;
  readonly specifier: string;
  readonly module: string;
  readonly isType: boolean;
  readonly from: number;
}

/** A page as one module: its imports and what it takes as given, then its blocks, each within the one above it. */
function moduleOf(page: string): readonly Line[] {
  const imports: Import[] = [];
  const given: Line[] = [];
  const shown: Line[] = [];
  let depth = 0;
  for (const block of blocksOf(page)) {
    if (block.info !== 'ts') continue;
    const lines = withoutImports(block, imports).split('\n');
    const numbered = lines.map((text, i) => ({ text, from: block.line + i }));
    if (block.kind === 'given') given.push(...numbered);
    else {
      shown.push({ text: '{', from: block.line }, ...numbered);
      depth++;
    }
  }
  const end = { text: '}'.repeat(depth + 1), from: 0 };
  return [...asLines(imports), ...given, { text: 'async function page() {', from: 0 }, ...shown, end];
}

/** Takes imports and the word `export` out of a block, and keeps its lines where they are. */
function withoutImports({ text, line }: Block, imports: Import[]): string {
  const source = ts.createSourceFile('block.ts', text, ts.ScriptTarget.Latest, true);
  let left = text;
  const erase = (node: ts.Node): void => {
    const [start, end] = [node.getStart(source), node.end];
    left = left.slice(0, start) + left.slice(start, end).replace(/[^\n]/g, ' ') + left.slice(end);
  };
  for (const statement of source.statements) {
    if (ts.canHaveModifiers(statement)) {
      for (const modifier of statement.modifiers ?? []) {
        if (modifier.kind === ts.SyntaxKind.ExportKeyword) erase(modifier);
      }
    }
    if (!ts.isImportDeclaration(statement)) continue;
    erase(statement);
    const { importClause: clause, moduleSpecifier } = statement;
    const module = moduleSpecifier.getText(source);
    const from = line + source.getLineAndCharacterOfPosition(statement.getStart(source)).line;
    const add = (name: ts.Identifier, specifier: string, isType = false): void => {
      imports.push({ name: name.text, specifier, module, from, isType: isType || clause?.phaseModifier !== undefined });
    };
    if (clause?.name) add(clause.name, 'default');
    const bindings = clause?.namedBindings;
    if (!bindings) continue;
    if (ts.isNamespaceImport(bindings)) add(bindings.name, '*');
    else for (const one of bindings.elements) add(one.name, (one.propertyName ?? one.name).text, one.isTypeOnly);
  }
  return left;
}

/** What a page imports twice is imported once more under another name, so that it is checked as well. */
function asLines(imports: readonly Import[]): readonly Line[] {
  const taken = new Set<string>();
  const valuesFirst = [...imports].sort((a, b) => Number(a.isType) - Number(b.isType));
  return valuesFirst.map(({ name, specifier, module, isType, from }, i) => {
    const as = taken.has(name) ? `${name}_${i}` : name;
    taken.add(name);
    const binding = specifier === '*' ? `* as ${as}` : `{ ${specifier} as ${as} }`;
    return { text: `import ${isType ? 'type ' : ''}${binding} from ${module};`, from };
  });
}

/** Files that are the same in every program. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says about pages, as `docs/api.md:12: …`. */
function problemsOf(texts: ReadonlyMap<string, string>): readonly string[] {
  const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const files = new Map<string, { readonly page: string; readonly lines: readonly Line[] }>();
  for (const [page, text] of texts) {
    files.set(`${root}${page}/page.ts`, { page, lines: moduleOf(text) });
    for (const { kind, info, line, text: lines } of blocksOf(text)) {
      const [language, file] = info.split(' ');
      if (kind !== 'given' || language !== 'ts' || file === undefined) continue;
      files.set(`${root}${page}/${file}`, {
        page,
        lines: lines.split('\n').map((text, i) => ({ text, from: line + i })),
      });
    }
  }
  const content = (path: string): string | undefined =>
    files
      .get(path)
      ?.lines.map(({ text }) => text)
      .join('\n');
  const host = ts.createCompilerHost(options, true);
  const { readFile, fileExists, directoryExists, getSourceFile } = host;
  host.readFile = (path) => content(path) ?? readFile(path);
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.directoryExists = (path) => texts.has(path.slice(root.length)) || (directoryExists?.(path) ?? true);
  host.getSourceFile = (path, version, ...more) => {
    const text = content(path);
    if (text !== undefined) return ts.createSourceFile(path, text, version);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, version, ...more));
    return parsed.get(path);
  };
  const program = ts.createProgram({ rootNames: [...files.keys()], options, host });
  return [...files].flatMap(([path, { page, lines }]) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((problem) => {
      const { line } = file?.getLineAndCharacterOfPosition(problem.start ?? 0) ?? { line: 0 };
      return `${page}:${lines[line]?.from}: ${ts.flattenDiagnosticMessageText(problem.messageText, '\n')}`;
    });
  });
}

describe('the code of the pages', () => {
  it('compiles', () => {
    expect(problemsOf(pages)).toEqual([]);
  }, 120_000);

  it('is found wrong where it is wrong', () => {
    const page = [
      '<!-- ts\ndeclare const key: string;\nimport type { Order } from "./order.js";\n-->',
      '<!-- ts order.ts\nexport interface Order { readonly id: string }\n-->',
      "```ts\nimport { APIIntegration } from '@safla/sdk/api';\n\nexport const api = new APIIntegration({ baseUrl: key });\n```",
      "```ts\nimport { APIIntegration, wat } from '@safla/sdk';\nconst order: Order = { id: 1 };\nawait api.gett('/');\n```",
      '```ts fragment\nauth: nothing\n```',
      "```ts\nconst api = 1;\napi.request('/');\nconst next: APIIntegration = api;\n```",
    ].join('\n\n');
    expect(problemsOf(new Map([['docs/wrong.md', page]])).map((line) => /^docs.wrong.md:\d+/.exec(line)?.[0])).toEqual(
      [17, 13, 18, 19, 28, 29].map((line) => `docs/wrong.md:${line}`),
    );
  }, 120_000);

  it('is given to the compiler, but for few fragments, and hides nothing from it', () => {
    const blocks = [...pages.values()].flatMap(blocksOf);
    const shown = blocks.filter(({ kind }) => kind === 'shown');
    const fragments = shown.filter(({ info }) => info === 'ts fragment');
    const checked = shown.filter(({ info }) => info === 'ts');
    expect(fragments.length).toBeLessThanOrEqual(maxFragments);
    expect(checked.length).toBeGreaterThan(80);
    expect(shown.filter(({ info }) => /^(ts|typescript|js|javascript)\b/.test(info)).length).toBe(
      fragments.length + checked.length,
    );
    for (const { kind, info, text } of blocks) {
      if (info.startsWith('ts')) expect(text).not.toMatch(kind === 'given' ? /\bany\b|@ts-/ : /@ts-/);
    }
  });

  it('parses, where it is JSON or YAML', () => {
    const blocks = [...pages.values()].flatMap(blocksOf);
    const json = blocks.filter(({ info }) => info === 'json');
    const yaml = blocks.filter(({ info }) => info === 'yaml');
    expect(json.length).toBeGreaterThan(0);
    expect(yaml.length).toBeGreaterThan(0);
    for (const { text } of json) expect(() => JSON.parse(text), text).not.toThrow();
    for (const { text } of yaml) expect(() => parseYAML(text), text).not.toThrow();
  });
});
