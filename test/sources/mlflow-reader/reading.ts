/**
 * Readings of look-alike servers with what is remembered of earlier ones, for the tests in this
 * folder.
 */

import { readMlflow } from '../../../src/sources/mlflow-reader.js';
import { RECORD_KINDS, type MlflowRecord, type RecordKind } from '../../../src/mlflow/records.js';
import type { RestOptions } from '../../../src/sources/rest/options.js';
import type { Page } from '../../../src/stream/contracts.js';
import type {
  Flavour,
  LoggedRequest,
  ServerContent,
  WireRun,
} from '../../support/mlflow-server.js';
import type { SweepMemory } from '../../../src/testing/sweep-memory.js';
import { openStore } from '../rest/open-store.js';

export async function opened(
  content: ServerContent,
  { flavour = '2.22.5', kinds = new Set(RECORD_KINDS), ...options }: Setting = {},
) {
  const { store, context, server } = await openStore({ content, flavour }, options);
  const source = readMlflow(store, context);
  const requestsOf = async (read: () => Promise<unknown>): Promise<readonly LoggedRequest[]> => {
    const before = server.requests.length;
    await read();
    return server.requests.slice(before);
  };
  return {
    requestsOf,
    skipped: () => context.recorder.counts().skipped,
    pages: (memory?: SweepMemory) =>
      source.read({ kinds, ...(memory === undefined ? {} : { memory }) }),
  };
}

export interface Setting extends RestOptions {
  readonly flavour?: Flavour;
  readonly kinds?: ReadonlySet<RecordKind>;
}

export async function recordsOf(pages: AsyncIterable<Page<MlflowRecord>>): Promise<MlflowRecord[]> {
  const records: MlflowRecord[] = [];
  for await (const page of pages) records.push(...page.records);
  return records;
}

export const runsIn = (records: readonly MlflowRecord[]) =>
  records.flatMap((record) => (record.kind === 'run' ? [record.run.runId] : [])).sort();

export const versionsIn = (records: readonly MlflowRecord[]) =>
  records
    .flatMap((record) =>
      record.kind === 'modelVersion' ? [`${record.version.name}/${record.version.version}`] : [],
    )
    .sort();

export const datasetsIn = (records: readonly MlflowRecord[]) =>
  records.flatMap((record) =>
    record.kind === 'dataset' ? [{ name: record.name, uses: record.uses }] : [],
  );

/** In any order. */
export const sorted = (records: readonly MlflowRecord[]) =>
  records.map((record) => JSON.stringify(record)).sort();

export const pathsOf = (requests: readonly LoggedRequest[]) =>
  requests.map(({ endpoint }) => endpoint);

export function runOf(content: ServerContent, index: number): WireRun['info'] {
  const run = content.runs[index];
  if (run === undefined) throw new Error(`there is no run ${index}`);
  return run.info;
}

/** All of them ended, but for those at the places named. */
export function ended(content: ServerContent, ...open: number[]): ServerContent {
  for (const [index, { info }] of content.runs.entries()) {
    info.status = open.includes(index) ? 'RUNNING' : 'FINISHED';
  }
  return content;
}

export function startOf(content: ServerContent, index: number): number {
  return runOf(content, index).start_time ?? 0;
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}
