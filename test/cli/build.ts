/**
 * Builds the package in a folder of its own, so that tests of the process run what the sources say
 * now and not what `dist/` was built from some time ago.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Gives the path of the command. Types are not looked at: that is `npm run typecheck`. */
export function buildInto(folder: string): string {
  const source = join(root, 'src');
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const target = join(folder, 'dist', file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    const { outputText } = ts.transpileModule(readFileSync(join(source, file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(target, outputText);
  }
  for (const name of ['package.json', 'pipeline.config.ts', 'examples']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  execFileSync(process.execPath, [join(root, 'scripts', 'prepare-config.js'), folder]);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return join(folder, 'dist', 'pipeline.js');
}
