/**
 * Runs the command of this package, as built.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunReport } from '../../src/stream/run-pipeline.js';
import { command } from './command.js';
import { tail } from './processes.js';
import { readProposals, type FiledProposal } from './proposals.js';

export interface OurResult {
  readonly proposals: readonly FiledProposal[];
  /** The file's text, byte for byte. */
  readonly text: string;
  readonly report: RunReport & { readonly exitStatus: number };
}

/** Options of operators, in the pipeline's own names. */
export interface OurConfig {
  /** Of `restSource`, besides its URI. */
  readonly restSource?: Readonly<Record<string, unknown>>;
  readonly buildUrns?: Readonly<Record<string, unknown>>;
  readonly mapToProposals?: Readonly<Record<string, unknown>>;
}

/**
 * @param config - without it the package's own configuration is what runs
 * @param visit - is given the file before it is removed
 * @param more - arguments of the command
 */
export async function runOurs(
  from: string,
  config?: OurConfig,
  visit?: (file: string) => Promise<void>,
  more: readonly string[] = [],
): Promise<OurResult> {
  const folder = await mkdtemp(join(tmpdir(), 'ours-'));
  try {
    const file = join(folder, 'out.json');
    const report = join(folder, 'report.json');
    const given: string[] = [];
    if (config !== undefined) {
      const path = join(folder, 'pipeline.config.js');
      await writeFile(path, configuration(from, config));
      given.push('--config', path);
    }
    if (config?.restSource === undefined) given.push('--from', from);
    const { status, output } = await command(
      ['run', ...given, ...more, '--to', file, '--report', report],
      { folder },
    );
    if (status !== 0) throw new Error(`it ended with ${String(status)}\n${tail(output)}`);
    const text = await readFile(file, 'utf8');
    await visit?.(file);
    return {
      text,
      proposals: await readProposals(file),
      report: JSON.parse(await readFile(report, 'utf8')) as OurResult['report'],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The package's own pipeline with other options. */
function configuration(uri: string, config: OurConfig): string {
  const { restSource, buildUrns = {}, mapToProposals = {} } = config;
  const source =
    restSource === undefined
      ? `mlflowSource({ uri: 'sqlite:///replaced.db' })`
      : `restSource(${JSON.stringify({ uri, ...restSource })})`;
  return `
import {
  buildUrns, dedup, definePipeline, fileSink, mapToProposals, mlflowSource, restSource, versionGate,
} from 'mlflow-datahub';

export default definePipeline({
  source: ${source},
  operators: [
    versionGate(),
    buildUrns(${JSON.stringify(buildUrns)}),
    mapToProposals(${JSON.stringify(mapToProposals)}),
    dedup(),
  ],
  sinks: [fileSink({ path: 'replaced.json' })],
});
`;
}
