/**
 * `versionGate`: keeps a pipeline from asking an old MLflow server for what it can't give.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { filter } from 'rxjs';
import type { MlflowRecord, RecordKind } from '../mlflow/records.js';
import type { ServerFacts } from '../mlflow/types.js';
import type { Operator, ReadPlan, RunContext } from '../stream/contracts.js';

const VERSION = /^(\d+)\.(\d+)(?:\.(\d+))?/;

export const versionGateOptionsSchema = z.strictObject({
  minimum: z
    .string()
    .refine((text) => VERSION.test(text), { error: 'must be a version, such as "1.28.0"' })
    .default('1.28.0')
    .describe('The oldest MLflow whose experiments, runs, logged models and datasets are read'),
});

export type VersionGateOptions = z.input<typeof versionGateOptionsSchema>;

/** What came with experiments that can be searched. */
const GATED: ReadonlySet<RecordKind> = new Set(['experiment', 'run', 'loggedModel', 'dataset']);

/**
 * Drops experiments, runs, logged models and datasets of servers older than `minimum`, and sees to it
 * that they are not even read. Registered models, versions and stages pass, as do all records of newer
 * servers. A run of the pipeline that drops anything says so in one warning, `VERSION_GATE`.
 *
 * A server that does not tell its version passes if it can search experiments, which is what
 * 1.28.0 brought: 1.x servers tell no version, and can be told apart no further.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', version: '1.27.0', versionText: '1.27.0', searchesExperiments: false };
 * const experiment = { experimentId: '1', name: 'churn', lifecycleStage: 'active', tags: [] };
 * from<MlflowRecord[]>([{ kind: 'server', server }, { kind: 'experiment', server, experiment }])
 *   .pipe(versionGate({ minimum: '1.28.0' }))
 *   .subscribe(({ kind }) => console.log(kind)); // server
 */
export function versionGate(
  options: VersionGateOptions = {},
): Operator<MlflowRecord, MlflowRecord> {
  const { minimum } = parseOptions('versionGate', versionGateOptionsSchema, options);
  const needed = parseVersion(minimum);
  let context: RunContext | undefined;
  let warned = false;

  const isClosed = (server: ServerFacts): boolean => {
    const version = server.version === undefined ? undefined : parseVersion(server.version);
    return version === undefined || needed === undefined
      ? !server.searchesExperiments
      : isBefore(version, needed);
  };

  const drop = (server: ServerFacts, what: string, count: number): void => {
    context?.recorder.skipped(`${what}: MLflow older than ${minimum}`, count);
    if (warned) return;
    warned = true;
    context?.recorder.warn(
      'VERSION_GATE',
      `experiments, runs, logged models and datasets are skipped: MLflow ${minimum} or newer is needed for them`,
      `${server.uri} is MLflow ${server.version ?? server.versionText}`,
    );
  };

  const operator: Operator<MlflowRecord, MlflowRecord> = filter((record) => {
    if (!GATED.has(record.kind) || !isClosed(record.server)) return true;
    drop(record.server, record.kind, 1);
    return false;
  });
  return Object.assign(operator, {
    label: `versionGate ${minimum}`,
    signature: `versionGate ${minimum}`,
    takes: 'record' as const,
    open: (run: RunContext) => {
      context = run;
      warned = false;
    },
    narrow: (plan: ReadPlan, server: ServerFacts): ReadPlan => {
      const dropped = [...plan.kinds].filter((kind) => GATED.has(kind));
      if (dropped.length === 0 || !isClosed(server)) return plan;
      drop(server, `all of ${dropped.join(', ')}`, 1);
      return { ...plan, kinds: new Set([...plan.kinds].filter((kind) => !GATED.has(kind))) };
    },
  });
}

type Version = readonly [major: number, minor: number, patch: number];

/** Of `3.0.0rc1` the three numbers: a release candidate can what the release can. */
function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0'] = match;
  return [Number(major), Number(minor), Number(patch)];
}

function isBefore(a: Version, b: Version): boolean {
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[1] !== b[1]) return a[1] < b[1];
  return a[2] < b[2];
}
