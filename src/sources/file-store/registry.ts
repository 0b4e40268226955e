/**
 * Registered models and their versions: `models/NAME/version-1`.
 */

import { join } from 'node:path';
import { MODEL_VERSION, REGISTERED_MODEL } from '../../mlflow/parse.js';
import { compareText, compareVersions } from '../../mlflow/parse-values.js';
import { isPrompt } from '../../mlflow/prompt.js';
import type { ModelVersion, RegisteredModel } from '../../mlflow/types.js';
import type { Registered } from '../store.js';
import { BrokenFile } from './broken-file.js';
import { type Outcome, readEntity } from './entities.js';
import { MODELS } from './experiments.js';
import type { KeyValueJson, StoreFolder } from './store-folder.js';

export const DELETED_STAGE = 'Deleted_Internal';

const VERSION_FOLDER = /^version-(\d+)$/;

export function modelPath(root: string, name: string): string {
  return join(root, MODELS, name);
}

export function versionPath(root: string, name: string, version: string): string {
  return join(modelPath(root, name), `version-${version}`);
}

/** Names of folders that may be a model's; none where MLflow keeps no registry here. */
export async function modelNames(folder: StoreFolder, root: string): Promise<readonly string[]> {
  const names = (await folder.subfolders(join(root, MODELS))) ?? [];
  return [...names].sort(compareText);
}

/** Numbers of versions, deleted ones too, in their order. */
export async function versionNumbers(
  folder: StoreFolder,
  root: string,
  name: string,
): Promise<readonly string[]> {
  const names = (await folder.subfolders(modelPath(root, name))) ?? [];
  return names.flatMap((each) => VERSION_FOLDER.exec(each)?.[1] ?? []).sort(compareVersions);
}

/** None where it is not what is asked for. */
export function readModel(
  folder: StoreFolder,
  root: string,
  what: Registered,
  name: string,
): Promise<Outcome<RegisteredModel>> {
  return readEntity(REGISTERED_MODEL, name, async () => {
    const path = modelPath(root, name);
    const meta = await folder.meta(path);
    if (meta === undefined) return undefined;
    if (meta['name'] !== name) {
      throw new BrokenFile('meta.yaml: its name is not what its folder is called');
    }
    const [tags, aliases, latest] = await Promise.all([
      folder.keyValues(join(path, 'tags')),
      folder.keyValues(join(path, 'aliases')),
      latestVersion(folder, root, name),
    ]);
    if (kindOf(tags) !== what) return undefined;
    return {
      name,
      creation_timestamp: meta['creation_timestamp'],
      last_updated_timestamp: meta['last_updated_timestamp'],
      description: meta['description'],
      latest_versions: latest === undefined ? [] : [{ version: latest }],
      tags,
      // One that is being written may be empty still.
      aliases: aliases
        ?.filter(({ value }) => value !== '')
        .map(({ key, value }) => ({ alias: key, version: value })),
    };
  });
}

/** The highest that is not deleted; what is wrong with a version is told where versions are read. */
async function latestVersion(
  folder: StoreFolder,
  root: string,
  name: string,
): Promise<string | undefined> {
  for (const version of [...(await versionNumbers(folder, root, name))].reverse()) {
    const stage = await folder.meta(versionPath(root, name, version)).then(
      (meta) => meta && (meta['current_stage'] ?? 'None'),
      (error: unknown) => {
        if (!(error instanceof BrokenFile)) throw error;
        return undefined;
      },
    );
    if (stage !== undefined && stage !== DELETED_STAGE) return version;
  }
  return undefined;
}

/** None for a deleted version, and where it is not what is asked for. */
export function readVersion(
  folder: StoreFolder,
  root: string,
  what: Registered,
  name: string,
  version: string,
): Promise<Outcome<ModelVersion>> {
  return readEntity(MODEL_VERSION, `${name} version ${version}`, async () => {
    const path = versionPath(root, name, version);
    const meta = await folder.meta(path);
    if (meta === undefined || meta['current_stage'] === DELETED_STAGE) return undefined;
    if (meta['name'] !== name || meta['version'] !== version) {
      throw new BrokenFile('meta.yaml: its name and version are not those of its folders');
    }
    const tags = await folder.keyValues(join(path, 'tags'));
    if (kindOf(tags) !== what) return undefined;
    return {
      name,
      version,
      creation_timestamp: meta['creation_timestamp'],
      last_updated_timestamp: meta['last_updated_timestamp'],
      description: meta['description'],
      user_id: meta['user_id'],
      current_stage: meta['current_stage'],
      source: meta['source'],
      run_id: meta['run_id'],
      run_link: meta['run_link'],
      status: meta['status'],
      status_message: meta['status_message'],
      tags,
    };
  });
}

function kindOf(tags: readonly KeyValueJson[] = []): Registered {
  return isPrompt(tags) ? 'prompts' : 'models';
}
