/** Builds an application with each bundler, as its documentation says to begin: nothing is set for us. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import webpack from 'webpack';

/** What came of a build. */
export interface Build {
  /** The folder to serve. */
  readonly folder: string;
  /** All that the bundler complained of. */
  readonly complaints: readonly string[];
}

/** Builds the application in a folder; `index.html` loads `main.js`. */
export type Bundle = (folder: string) => Promise<Build>;

export const withVite: Bundle = async (root) => {
  const complaints: string[] = [];
  const note = (message: string): void => {
    complaints.push(message);
  };
  await vite.build({
    root,
    configFile: false,
    logLevel: 'warn',
    customLogger: { ...vite.createLogger('warn'), warn: note, warnOnce: note, error: note },
    build: {
      sourcemap: true,
      reportCompressedSize: false,
      // Twilio's SDK alone is larger than what Vite warns of.
      chunkSizeWarningLimit: 2000,
      // A machine that is busy is no fault of the package.
      rolldownOptions: { checks: { bundlerTimings: false } },
    },
  });
  return { folder: join(root, 'dist'), complaints };
};

export const withEsbuild: Bundle = async (root) => {
  const folder = join(root, 'out');
  const { warnings, errors } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['main.js'],
    bundle: true,
    format: 'esm',
    splitting: true,
    minify: true,
    sourcemap: true,
    outdir: folder,
    logLevel: 'silent',
  });
  await cp(join(root, 'index.html'), join(folder, 'index.html'));
  return { folder, complaints: [...errors, ...warnings].map(({ text }) => text) };
};

export const withWebpack: Bundle = async (root) => {
  const folder = join(root, 'out');
  const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) => {
    webpack(
      {
        context: root,
        mode: 'production',
        entry: './main.js',
        output: { path: folder, publicPath: '/' },
        devtool: 'source-map',
        // Twilio's SDK alone is larger than what webpack warns of, and takes it half a minute to minify.
        performance: false,
        optimization: { minimize: false },
      },
      (error, result) => {
        if (error) reject(error);
        else resolve(result);
      },
    );
  });
  await cp(join(root, 'index.html'), join(folder, 'index.html'));
  const { errors = [], warnings = [] } =
    stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
  return { folder, complaints: [...errors, ...warnings].map(({ message }) => message) };
};
