/** What the compiler says of an application, with the options that one would have. */
import ts from 'typescript';

const DEFAULTS = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
  strict: true,
  noEmit: true,
};

/** The problems in files and in all that they import. */
export function problemsIn(
  files: readonly string[],
  options: ts.CompilerOptions,
): readonly string[] {
  const program = ts.createProgram(files, { ...DEFAULTS, ...options });
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file: source, messageText }) =>
        `${source?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}
