/** The TypeScript examples of a Markdown page, and what the compiler says about them. */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository's folder, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The code blocks of a page that are in this language, in order. */
export function examplesOf(page: string, language = 'ts'): string[] {
  const blocks = page.matchAll(/```(?<name>\w+)\n(?<code>.*?)```/gs);
  return [...blocks].flatMap(({ groups }) =>
    groups?.['name'] === language ? [groups['code'] ?? ''] : [],
  );
}

/** These files and what they import, under the repository's options. */
export function programOf(files: readonly string[], changes: ts.CompilerOptions = {}): ts.Program {
  const parsed = ts.getParsedCommandLineOfConfigFile(`${ROOT}tsconfig.json`, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
      throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
    },
  });
  return ts.createProgram(files, { ...parsed?.options, ...changes });
}

/** The compiler's complaints about these files. */
export function problemsOf(files: readonly string[], changes: ts.CompilerOptions = {}): string[] {
  return ts
    .getPreEmitDiagnostics(programOf(files, changes))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
