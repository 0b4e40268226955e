/**
 * A pipeline with state as somebody would set it up: a folder with a configuration and the file of
 * the state, in which the command is run again and again.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunReport } from '../../../src/stream/run-pipeline.js';
import { canonical, keyOf, readProposals, type FiledProposal } from '../proposals.js';

const COMMAND = fileURLToPath(new URL('../../../dist/pipeline.js', import.meta.url));

export interface Setup {
  /** `http://…`, `sqlite:///…` */
  readonly from: string;
  /** Options of the source, as they stand in a configuration. */
  readonly source?: Readonly<Record<string, unknown>>;
  /** Sinks beside the file, as code. */
  readonly sinks?: readonly string[];
  /** Options of the state but its path. */
  readonly state?: Readonly<Record<string, unknown>>;
}

export interface Result {
  readonly status: number | null;
  readonly report: RunReport;
  /** What the run's file holds; empty where it made none. */
  readonly proposals: readonly FiledProposal[];
  readonly output: string;
}

export class StatefulPipeline {
  readonly #files = new Set<string>();

  private constructor(readonly folder: string) {}

  static async create({ from, source, sinks = [], state }: Setup): Promise<StatefulPipeline> {
    const folder = await mkdtemp(join(tmpdir(), 'stateful-'));
    await writeFile(
      join(folder, 'pipeline.config.js'),
      `import {
  buildUrns, dataHubRestSink, dedup, definePipeline, fileSink, kafkaSink, mapToProposals,
  mlflowSource, versionGate,
} from 'mlflow-datahub';

export default definePipeline({
  source: mlflowSource(${JSON.stringify({ uri: from, ...source })}),
  operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
  sinks: [${["fileSink({ path: 'out.json' })", ...sinks].join(', ')}],
  state: ${JSON.stringify({ path: 'mlflow.state', ...state })},
});
`,
    );
    return new StatefulPipeline(folder);
  }

  /** Starts a run; its output goes to `output` once it has ended. */
  start(...options: readonly string[]): { child: ChildProcess; ended: Promise<string> } {
    const report = join(this.folder, 'report.json');
    const child = spawn(process.execPath, [COMMAND, 'run', '--report', report, ...options], {
      cwd: this.folder,
      env: { ...process.env, MLFLOW_TRACKING_URI: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    return { child, ended: once(child, 'close').then(() => Buffer.concat(chunks).toString()) };
  }

  /** A whole run. */
  async run(...options: readonly string[]): Promise<Result> {
    const { child, ended } = this.start(...options);
    const output = await ended;
    const text = await readFile(join(this.folder, 'report.json'), 'utf8').catch(() => '');
    if (text === '') throw new Error(`no report: ${output}`);
    return {
      status: child.exitCode,
      report: JSON.parse(text) as RunReport,
      proposals: await this.#news(),
      output,
    };
  }

  /** All that was ever written to files, in the order of the runs. */
  async everything(): Promise<readonly FiledProposal[]> {
    const all = await Promise.all((await this.#names()).map((name) => this.#read(name)));
    return all.flat();
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  async #news(): Promise<readonly FiledProposal[]> {
    const names = (await this.#names()).filter((name) => !this.#files.has(name));
    for (const name of names) this.#files.add(name);
    return (await Promise.all(names.map((name) => this.#read(name)))).flat();
  }

  /** Names hold the time of the run, and so are in its order. */
  async #names(): Promise<string[]> {
    const names = await readdir(this.folder);
    return names.filter((name) => /^out\..+\.json$/.test(name)).sort();
  }

  #read(name: string): Promise<readonly FiledProposal[]> {
    return readProposals(join(this.folder, name));
  }
}

/** What DataHub has after these proposals: the last content of each aspect, as text. */
export function outcome(proposals: readonly FiledProposal[]): Map<string, string> {
  return new Map(proposals.map((each) => [slotOf(each), canonical(each.aspect.json)]));
}

/** Events of a time series take no other's place. */
function slotOf(proposal: FiledProposal): string {
  const time = proposal.aspect.json['timestampMillis'];
  return typeof time === 'number' ? `${keyOf(proposal)} ${time}` : keyOf(proposal);
}
