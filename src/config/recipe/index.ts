/**
 * Recipes of DataHub's own MLflow connector: run as they are, or written as a configuration.
 */

import { readFile } from 'node:fs/promises';
import { messageOf, PipelineError } from '../../core/errors.js';
import { makePipeline } from './make.js';
import { printConfig, type WrittenConfig } from './print.js';
import type { Env } from './references.js';
import { translateRecipe } from './translate.js';

export type { WrittenConfig } from './print.js';

/**
 * The pipeline that a recipe means, with its references looked up.
 *
 * @param name - of the file, for messages
 * @returns what `definePipeline` takes
 * @throws PipelineError `RECIPE_SYNTAX`, `BAD_RECIPE`, or what a component throws (usage), with the place
 */
export async function pipelineOfRecipe(
  path: string,
  name: string,
  { env, factories }: { readonly env: Env; readonly factories: object },
): Promise<object> {
  const translation = await translateRecipe(await textOf(path, name), name, env);
  return makePipeline(translation, { ...factories });
}

/**
 * The `pipeline.config.ts` that a recipe means. References stay, and secrets become references.
 *
 * @throws PipelineError as `pipelineOfRecipe`
 */
export async function configOfRecipe(path: string, name: string): Promise<WrittenConfig> {
  return printConfig(await translateRecipe(await textOf(path, name), name), name);
}

async function textOf(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PipelineError(`the recipe ${name} can't be read: ${messageOf(error)}`, {
      code: 'CONFIG_NOT_FOUND',
      category: 'usage',
      cause: error,
    });
  }
}
