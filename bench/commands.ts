/**
 * The commands that several parts of the bench measure.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binOf } from '../test/live/install.js';
import { PEER_ENVIRONMENT } from '../test/live/peer.js';
import { PEER } from '../test/live/releases.js';
import type { Command } from './measure.js';

const COMMAND = fileURLToPath(new URL('../dist/pipeline.js', import.meta.url));

/** This pipeline, into a file of the folder that has the command's name. */
export function pipeline(
  name: string,
  folder: string,
  from: string,
  ...options: readonly string[]
): Command {
  const to = join(folder, `${name.replaceAll(' ', '-')}.json`);
  return { ...pipelineTo(folder, from, to, ...options), name };
}

/** This pipeline, into any sink. */
export function pipelineTo(
  folder: string,
  from: string,
  to: string,
  ...options: readonly string[]
): Command {
  return {
    name: 'ours',
    program: process.execPath,
    args: [COMMAND, '--from', from, '--to', to, ...options],
    cwd: folder,
    env: { MLFLOW_TRACKING_URI: '' },
  };
}

/** A yardstick: a script of this folder. */
export function bare(name: string, script: string, ...args: readonly string[]): Command {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return { name, program: process.execPath, args: [path, ...args] };
}

/**
 * DataHub's connector with a recipe, once: it takes minutes.
 *
 * @param release - where it is installed with what the recipe needs
 */
export async function peer(folder: string, recipe: object, release = PEER): Promise<Command> {
  const path = join(folder, 'recipe.yml');
  await writeFile(path, JSON.stringify(recipe));
  return {
    name: 'peer',
    program: join(binOf(release), 'datahub'),
    args: ['ingest', 'run', '--no-default-report', '--no-progress', '-c', path],
    env: PEER_ENVIRONMENT,
    once: true,
  };
}
