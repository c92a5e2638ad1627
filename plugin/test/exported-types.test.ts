/** Whoever uses an entry point can name every type in it, and follow every link of its comments. */
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { programOf, ROOT } from './examples.ts';

const ENTRIES = [
  'plugin/src/index.ts',
  'plugin/src/node.ts',
  'plugin/src/protocol/index.ts',
  'token-server/src/index.ts',
  'twilio-emulator/src/index.ts',
];

let program: ts.Program;

beforeAll(() => {
  program = programOf(ENTRIES.map((entry) => ROOT + entry));
}, 300_000);

/** What an entry point exports: the symbols themselves, not their aliases, and where they are. */
function exportsOf(entry: string): ReadonlyMap<ts.Symbol, readonly ts.Declaration[]> {
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(ROOT + entry);
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) throw new Error(`There is no ${entry}.`);
  const symbols = checker.getExportsOfModule(module).map((one) => resolved(one));
  return new Map(symbols.map((symbol) => [symbol, symbol.getDeclarations() ?? []]));
}

function resolved(symbol: ts.Symbol): ts.Symbol {
  const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
  return isAlias ? program.getTypeChecker().getAliasedSymbol(symbol) : symbol;
}

/** All nodes that a declaration file would show of a declaration. */
function* shown(node: ts.Node): Generator<ts.Node> {
  yield node;
  if (ts.isBlock(node) || ts.isPrivateIdentifier(node)) return;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) if (!isHidden(child)) yield* shown(child);
}

function isHidden(node: ts.Node): boolean {
  return ts.isClassElement(node) && !!node.name && ts.isPrivateIdentifier(node.name);
}

/** The symbols of the package itself that a declaration names, as types. */
function* named(declaration: ts.Declaration): Generator<ts.Symbol> {
  const checker = program.getTypeChecker();
  const folder = /^.*\/src\//.exec(declaration.getSourceFile().fileName)?.[0] ?? '';
  for (const node of shown(declaration)) {
    const name = ts.isTypeReferenceNode(node)
      ? node.typeName
      : ts.isExpressionWithTypeArguments(node)
        ? node.expression
        : null;
    const symbol = name && checker.getSymbolAtLocation(name);
    if (!symbol) continue;
    const target = resolved(symbol);
    const isParameter = (target.flags & ts.SymbolFlags.TypeParameter) !== 0;
    const [at] = target.getDeclarations() ?? [];
    if (!isParameter && at?.getSourceFile().fileName.startsWith(folder)) yield target;
  }
}

/** The first names of the links in the comments of a declaration. */
function* linked(declaration: ts.Declaration): Generator<string> {
  for (const node of shown(declaration)) {
    for (const comment of ts.getJSDocCommentsAndTags(node)) {
      for (const [, name = ''] of comment.getText().matchAll(/\{@link(?:code)? +(\w+)(?!:)/g)) {
        yield name;
      }
    }
  }
}

describe.each(ENTRIES)('%s', (entry) => {
  test('exports every type that its exports name', () => {
    const exported = exportsOf(entry);
    const missing = [...exported].flatMap(([symbol, declarations]) =>
      declarations.flatMap((declaration) =>
        [...named(declaration)]
          // A brand is there so that nobody makes such a value.
          .filter((target) => !exported.has(target) && target.name !== 'Branded')
          .map((target) => `${symbol.name}: ${target.name}`),
      ),
    );
    expect([...new Set(missing)]).toEqual([]);
  });

  test('links to nothing that it does not export', () => {
    const exported = exportsOf(entry);
    const names = new Set([...exported.keys()].map(({ name }) => name));
    const missing = [...exported].flatMap(([symbol, declarations]) =>
      declarations.flatMap((declaration) =>
        [...linked(declaration)]
          .filter(
            (name) => !names.has(name) && !symbol.members?.has(ts.escapeLeadingUnderscores(name)),
          )
          .map((name) => `${symbol.name}: ${name}`),
      ),
    );
    expect([...new Set(missing)]).toEqual([]);
  });
});
