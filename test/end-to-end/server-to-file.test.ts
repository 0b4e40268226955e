/**
 * The whole way from an HTTP server to a file, with the operators as they are wired by default: what
 * each kind of server becomes, and what is left when much of what it sends is bad.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildUrns } from '../../src/operators/build-urns.js';
import { dedup } from '../../src/operators/dedup.js';
import { mapToProposals } from '../../src/operators/map-to-proposals/index.js';
import { versionGate } from '../../src/operators/version-gate.js';
import { fileSink } from '../../src/sinks/file/file-sink.js';
import { mlflowSource, type MlflowSourceOptions } from '../../src/sources/mlflow-source.js';
import { runPipeline } from '../../src/stream/run-pipeline.js';
import { silentLog } from '../support/memory.js';
import {
  sampleContent,
  sampleRunId,
  startMlflowServer,
  type MlflowServerOptions,
  type ServerContent,
  type WireRun,
} from '../support/mlflow-server.js';

interface Filed {
  readonly entityType: string;
  readonly entityUrn: string;
  readonly aspectName: string;
  readonly aspect: { readonly json: Record<string, unknown> };
}

interface Letter {
  readonly code: string;
  readonly identity: string;
}

async function swept(options: MlflowServerOptions, source: MlflowSourceOptions = {}) {
  const server = await startMlflowServer(options);
  onTestFinished(() => server.close());
  const folder = mkdtempSync(join(tmpdir(), 'server-to-file-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, 'out.json');
  const deadLetters = join(folder, 'dead.ndjson');
  const { report } = await runPipeline(
    {
      source: mlflowSource(source),
      operators: [versionGate(), buildUrns(), mapToProposals(), dedup()],
      sinks: [fileSink({ path })],
      maxInFlightPages: 4,
      deadLetter: { path: deadLetters },
    },
    { log: silentLog, env: { MLFLOW_TRACKING_URI: server.uri } },
  );
  const proposals = JSON.parse(readFileSync(path, 'utf8')) as Filed[];
  const letters = existsSync(deadLetters)
    ? readFileSync(deadLetters, 'utf8').trimEnd().split('\n')
    : [];
  return {
    report,
    server,
    proposals,
    letters: letters.map((line) => JSON.parse(line) as Letter),
    /** Entities of a type: those that an aspect was written for. */
    countOf: (type: string) =>
      new Set(
        proposals.flatMap(({ entityType, entityUrn }) => (entityType === type ? entityUrn : [])),
      ).size,
  };
}

describe('a server', () => {
  it.each(['1.28.0', '2.22.5', '3.17.2'] as const)('of %s becomes all it has', async (flavour) => {
    const { report, proposals, countOf } = await swept({ flavour });
    expect(report).toMatchObject({
      outcome: 'complete',
      counts: {
        read: { experiment: 3, run: 12, registeredModel: 2, modelVersion: 6 },
        rejected: 0,
        warnings: [],
      },
    });
    expect(countOf('container')).toBe(3);
    expect(countOf('dataProcessInstance')).toBe(12);
    expect(countOf('mlModelGroup')).toBe(2);
    expect(countOf('mlModel')).toBe(6);
    expect(countOf('tag')).toBe(4);
    expect(report.counts.delivered).toEqual({ [report.sinks[0] ?? '']: proposals.length });
  });

  it('older than 1.28.0 becomes models, versions and stages, and is asked for no more', async () => {
    const { report, proposals, server, countOf } = await swept({ flavour: '1.27.0' });
    expect(report).toMatchObject({ outcome: 'complete', counts: { rejected: 0 } });
    expect(countOf('container') + countOf('dataProcessInstance')).toBe(0);
    expect(countOf('mlModelGroup')).toBe(2);
    expect(countOf('mlModel')).toBe(6);
    expect(countOf('tag')).toBe(4);
    expect(server.countOf('runs/search')).toBe(0);
    expect(report.counts.warnings).toHaveLength(1);
    expect(report.counts.warnings[0]?.message).toContain('MLflow 1.28.0 or newer is needed');
    const properties = proposals.filter(({ aspectName }) => aspectName === 'mlModelProperties');
    expect(properties.some(({ aspect }) => 'hyperParams' in aspect.json)).toBe(true);
    expect(properties.some(({ aspect }) => 'trainingMetrics' in aspect.json)).toBe(true);
  });
});

describe('a server that sends much that is bad', () => {
  function awkward(): ServerContent {
    const content = sampleContent({ experiments: 1, runsPerExperiment: 10, models: 1 });
    const { runs, registeredModels, modelVersions } = content;
    const change = (index: number, info: object): void => {
      Object.assign(runs[index]?.info ?? {}, info);
    };
    change(1, { status: 'DAYDREAMING' });
    change(2, { start_time: 0 });
    change(3, { status: 5 });
    runs[4]?.data?.tags?.push({ key: 'large', value: 'x'.repeat(300_000) });
    runs[5]?.data?.params?.push(
      { key: '__proto__', value: 'x' },
      { key: 'constructor', value: 'y' },
    );
    runs[6]?.data?.metrics?.push({ key: 'loss', value: 'NaN' });
    Object.assign(modelVersions[1] ?? {}, { current_stage: 'Sleeping' });
    Object.assign(modelVersions[2] ?? {}, { version: 'two' });
    registeredModels.push({ name: 'long'.repeat(150) });
    return content;
  }

  it('is read to its end: what can be used arrives, the rest is kept with its reason', async () => {
    // A null where the first run was; the look-alike itself could not sort it.
    const nulled = (answer: Record<string, unknown>): object => ({
      ...answer,
      runs: ((answer['runs'] ?? []) as WireRun[]).map((run) =>
        run.info.run_id === sampleRunId(0) ? null : run,
      ),
    });
    const { report, proposals, letters, countOf } = await swept(
      {
        content: awkward(),
        faults: ({ endpoint, body }) =>
          endpoint === 'runs/search' && body['filter'] === undefined
            ? { kind: 'patch', patch: nulled }
            : undefined,
      },
      { maxResponseBytes: 100_000 },
    );
    expect(report.outcome).toBe('complete');
    expect(letters.map(({ code, identity }) => `${code} ${identity.slice(0, 42)}`).sort()).toEqual([
      'BAD_URN registered model longlonglonglonglonglongl',
      'MALFORMED_MODEL_VERSION model version model 1 version two',
      `MALFORMED_RUN run ${sampleRunId(3)}`,
      'MALFORMED_RUN run without id',
      `RECORD_TOO_LARGE run ${sampleRunId(4)}`,
    ]);
    expect(report.counts.rejected).toBe(letters.length);
    // What is only unknown is mapped, with a word about it.
    const codes = report.counts.warnings.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['UNKNOWN_RUN_STATUS', 'UNKNOWN_STAGE']));
    expect(countOf('dataProcessInstance')).toBe(7);
    const text = JSON.stringify(proposals);
    for (const index of [1, 2, 5, 6, 7, 8, 9]) expect(text).toContain(sampleRunId(index));
    for (const part of ['"__proto__"', '"constructor"', '"nan"']) expect(text).toContain(part);
  });
});
