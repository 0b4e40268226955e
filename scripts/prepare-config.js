// Puts pipeline.config.ts into dist/ as JavaScript, under a name made of its content, so that the command
// can run it without a compiler while it is what the package was built with (src/config/prepared-config.ts).
//
//   node scripts/prepare-config.js [FOLDER]   of the package in FOLDER; else of this one
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const [, , root = dirname(dirname(fileURLToPath(import.meta.url)))] = process.argv;
const source = readFileSync(join(root, 'pipeline.config.ts'));

const { outputText } = ts.transpileModule(source.toString('utf8'), {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
});
// In dist/ it lies one folder deeper than what it is made from.
const moved = outputText.replaceAll('import.meta.dirname', "(import.meta.dirname + '/..')");
if (moved.replaceAll('import.meta.dirname', '').includes('import.meta')) {
  throw new Error('of import.meta, pipeline.config.ts may use no more than import.meta.dirname');
}
const digest = createHash('sha256').update(source).digest('hex').slice(0, 16);
writeFileSync(join(root, 'dist', `pipeline.config.${digest}.js`), moved);
