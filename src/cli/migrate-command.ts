/**
 * `mlflow-datahub migrate RECIPE [FILE]`
 */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { configOfRecipe } from '../config/recipe/index.js';
import { messageOf, PipelineError } from '../core/errors.js';
import type { Session } from './session.js';

/** Writes the configuration that a recipe means, to standard output or a file that is not there yet. */
export async function migrateCommand(
  { context, writeLines, log }: Session,
  recipe: string,
  file?: string,
): Promise<number> {
  const { text, newVariables, unused } = await configOfRecipe(resolve(context.cwd, recipe), recipe);
  if (file === undefined || file === '-') context.stdout.write(text);
  else await writeNew(resolve(context.cwd, file), file, text);
  log.debug({ newVariables, unused }, 'the recipe is translated');
  for (const name of newVariables) {
    writeLines(`set the variable ${name}: its value stands in clear text in ${recipe}\n`);
  }
  for (const place of unused) writeLines(`${place} has no meaning here, and is left out\n`);
  return 0;
}

async function writeNew(path: string, shown: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new PipelineError(
      exists
        ? `${shown} is there already, and is not written over: name another file`
        : `${shown} can't be written: ${messageOf(error)}`,
      { code: exists ? 'TARGET_EXISTS' : 'TARGET_UNWRITABLE', category: 'usage', cause: error },
    );
  }
}
