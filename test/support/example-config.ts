/**
 * The configurations of examples/, loaded as the command loads them.
 */

import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load-config.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param example - the name of its folder */
export async function exampleDefinition(example: string) {
  const { definition } = await loadConfig({
    path: `examples/${example}/pipeline.config.ts`,
    cwd: root,
    packageRoot: root,
    modules: async () => ({
      'mlflow-datahub': await import('../../src/index.js'),
      rxjs: await import('rxjs'),
    }),
  });
  return definition;
}
