import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.live', '.dependency-cruiser.cjs'] },
  // What `migrate` writes: an empty value counts as unset there, as in DataHub's loader.
  { ignores: ['test/config/recipe/written'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers in a message need no ceremony; everything else must be made text on purpose.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A method or callback that does nothing on purpose is a legitimate default.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
  {
    files: ['src/**/*.ts'],
    // Only the entry point and the command line may know the process they run in.
    ignores: ['src/pipeline.ts', 'src/cli/**'],
    rules: { 'no-restricted-globals': ['error', 'process'] },
  },
);
