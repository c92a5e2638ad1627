import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default defineConfig(
  globalIgnores(['**/dist/', '**/data/', '**/node_modules/', '.stryker-tmp/', 'reports/']),
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers in template strings are what template strings are for.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
    },
  },
  { files: ['demo/**/*.tsx', 'demo/**/*.ts'], ...reactHooks.configs.flat.recommended },
  {
    // Command-line programs and configuration print; nothing else may.
    files: [
      '**/cli/**',
      '**/cli.ts',
      'demo/src/start.ts',
      'bench/**',
      'spec/*.ts',
      '*.js',
      '*.ts',
      '.*.cjs',
    ],
    languageOptions: { globals: { process: 'readonly', module: 'writable' } },
    rules: { 'no-console': 'off' },
  },
);
