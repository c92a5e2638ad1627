import { existsSync } from 'node:fs';

/**
 * The environment, completed by a file when that exists. What is set already wins over the file.
 */
export function loadEnvironment(file: string): NodeJS.ProcessEnv {
  if (existsSync(file)) process.loadEnvFile(file);
  return process.env;
}
