/**
 * Runs DataHub's own connector.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binOf, PYTHON_ENVIRONMENT } from './install.js';
import { run } from './processes.js';
import { readProposals, type FiledProposal } from './proposals.js';
import { PEER } from './releases.js';

/** What its recipe says beside `tracking_uri`, in its own names. */
export type PeerConfig = Readonly<Record<string, unknown>>;

export interface PeerResult {
  /** 1 where it reports a failure; what it wrote until then is there all the same. */
  readonly status: number;
  readonly proposals: readonly FiledProposal[];
  /** Its log, for messages. */
  readonly log: string;
}

export async function runPeer(trackingUri: string, config: PeerConfig = {}): Promise<PeerResult> {
  const folder = await mkdtemp(join(tmpdir(), 'peer-'));
  try {
    const recipe = join(folder, 'recipe.yml');
    const filename = join(folder, 'out.json');
    // JSON is YAML.
    const content = {
      run_id: 'peer',
      source: { type: 'mlflow', config: { tracking_uri: trackingUri, ...config } },
      sink: { type: 'file', config: { filename } },
    };
    await writeFile(recipe, JSON.stringify(content));
    return await ingest(recipe, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a recipe whose sink is the file `out.json`.
 *
 * @param folder - where it is run
 * @param env - what the recipe refers to
 */
export async function ingest(
  recipe: string,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<PeerResult> {
  const { status, stdout, stderr } = await run(
    join(binOf(PEER), 'datahub'),
    ['ingest', 'run', '--no-default-report', '--no-progress', '-c', recipe],
    { cwd: folder, env: { ...PEER_ENVIRONMENT, ...env }, timeoutMs: 300_000, allow: [0, 1] },
  );
  const proposals = await readProposals(join(folder, 'out.json'));
  return { status, proposals, log: stdout + stderr };
}

export const PEER_ENVIRONMENT = {
  ...PYTHON_ENVIRONMENT,
  DATAHUB_TELEMETRY_ENABLED: 'false',
  GIT_PYTHON_REFRESH: 'quiet',
  PYTHONWARNINGS: 'ignore',
};
