/**
 * `filter`: what of MLflow comes to DataHub.
 */

import { z } from 'zod';
import { age } from '../core/age.js';
import { parseOptions } from '../core/options.js';
import { pattern } from '../core/pattern.js';
import { leftOutBy, type RecordFilter, recordFilter } from '../mlflow/filter/record-filter.js';
import type {
  LoggedModelRecord,
  MlflowRecord,
  ModelVersionRecord,
  RunRecord,
} from '../mlflow/records.js';
import type { ServerFacts } from '../mlflow/types.js';
import type { Operator, ReadPlan, RunContext } from '../stream/contracts.js';
import type { Recorder } from '../stream/recorder.js';
import { perRecord } from './per-record.js';

const patterns = z.array(pattern()).min(1);

/** Patterns, which are allowed, or an object that says which are and which are not. */
const choice = () =>
  z
    .union([patterns, z.strictObject({ allow: patterns.optional(), deny: patterns.optional() })])
    .meta({ title: 'list of patterns, or `{ allow, deny }` with one each' })
    .optional();

const tags = (of: string) =>
  z
    .strictObject({
      allow: z
        .record(z.string(), pattern())
        .optional()
        .describe('By name of the tag a pattern for its value: all of them have to match'),
      deny: z
        .record(z.string(), pattern())
        .optional()
        .describe('By name of the tag a pattern for its value: none of them may match'),
    })
    .optional()
    .describe(`Tags of ${of}`);

export const filterOptionsSchema = z.strictObject({
  experiments: z
    .strictObject({
      names: choice().describe('Names'),
      tags: tags('experiments'),
      createdWithin: age()
        .optional()
        .describe('No older than that: `12h`, `90d`, `4w`; those of MLflow 1.28 have no age'),
    })
    .optional()
    .describe('Experiments; the runs of those that are left out are left out, too'),
  runs: z
    .strictObject({
      names: choice().describe('Names'),
      tags: tags('runs'),
      statuses: choice().describe('Such as `FINISHED`'),
      users: choice().describe('Who started them'),
      startedWithin: age().optional().describe('Started no longer ago than that'),
    })
    .optional()
    .describe('Runs; versions that come from them are not left out for that'),
  models: z
    .strictObject({
      names: choice().describe('Names'),
      tags: tags('models'),
      createdWithin: age().optional().describe('No older than that'),
      updatedWithin: age().optional().describe('Changed no longer ago than that'),
    })
    .optional()
    .describe('Registered models; the versions of those that are left out are left out, too'),
  versions: z
    .strictObject({
      tags: tags('versions'),
      stages: choice().describe('Such as `Production`; a version without one has `None`'),
      aliases: choice().describe('One of its aliases has to be allowed, and none may be denied'),
      statuses: choice().describe('Such as `READY`'),
      users: choice().describe('Who registered them'),
      createdWithin: age().optional().describe('No older than that'),
      updatedWithin: age().optional().describe('Changed no longer ago than that'),
    })
    .optional()
    .describe('Versions of models'),
  loggedModels: z
    .strictObject({
      names: choice().describe('Names'),
      tags: tags('logged models'),
      statuses: choice().describe('Such as `READY`'),
      types: choice().describe('Such as `classifier`; where it has none, the empty text'),
      createdWithin: age().optional().describe('No older than that'),
    })
    .optional()
    .describe('Logged models of MLflow 3; versions that come from them are not left out for that'),
});

export type FilterOptions = z.input<typeof filterOptionsSchema>;

/**
 * Lets experiments, runs, models, versions and logged models through that options allow. In a pipeline, what is left
 * out is not even read where the store can be told so, and counts as gone: with state, DataHub is rid
 * of it after the next sweep over everything. Several of them keep what each of them keeps.
 *
 * Its place is first, before anything that changes records. A run, or a logged model, that is left out
 * is still looked up for a version that is kept.
 *
 * A record of the dead-letter file that a `redact` behind it had redacted passes: what it is judged by
 * may be gone, and it was let through before.
 *
 * Ages count from the start of the pipeline's run; by itself, from when the operator is made. By
 * itself it leaves datasets as they are; in a pipeline, runs that are left out describe none.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const model = { creationTimestamp: 1, lastUpdatedTimestamp: 2, tags: [], aliases: [] };
 * from<MlflowRecord[]>([
 *   { kind: 'registeredModel', server, model: { ...model, name: 'prod-churn' } },
 *   { kind: 'registeredModel', server, model: { ...model, name: 'prod-churn-tmp' } },
 * ])
 *   .pipe(filter({ models: { names: { allow: ['prod-.*'], deny: ['.*-tmp'] } } }))
 *   .subscribe((record) => console.log('model' in record && record.model.name)); // prod-churn
 */
export function filter(options: FilterOptions): Operator<MlflowRecord, MlflowRecord> {
  const rules = parseOptions('filter', filterOptionsSchema, options);
  let sieve = new Sieve(recordFilter([rules], Date.now()));
  let context: RunContext | undefined;
  const operator: Operator<MlflowRecord, MlflowRecord> = perRecord(
    (record) => sieve.of(record),
    () => context,
  );
  return Object.assign(operator, {
    label: 'filter',
    signature: `filter ${JSON.stringify(rules)}`,
    takes: 'record' as const,
    open: (run: RunContext) => {
      context = run;
      sieve = new Sieve(recordFilter([rules], run.startedAt), run.recorder);
    },
    narrow: (plan: ReadPlan): ReadPlan => ({ ...plan, filters: [...(plan.filters ?? []), rules] }),
  });
}

/** For one run. Behind a source that obeys the plan it finds nothing more to leave out. */
class Sieve {
  /** Experiments and models left out, which come before what depends on them. */
  readonly #leftOut = new Set<string>();

  constructor(
    private readonly filter: RecordFilter,
    private readonly recorder?: Recorder,
  ) {}

  /** The record, or what is left of it; nothing where it is left out. */
  of(record: MlflowRecord): readonly MlflowRecord[] {
    // It is from a dead-letter file and passed here then, before what it is judged by was redacted.
    if (record.redactedBefore !== undefined) return [record];
    switch (record.kind) {
      case 'experiment': {
        const { experiment, server } = record;
        const why = this.filter.experiment(experiment);
        if (why !== undefined) this.#leftOut.add(keyOf(server, experiment.experimentId));
        return this.#unless(why, record);
      }
      case 'registeredModel': {
        const { model, server } = record;
        const why = this.filter.model(model);
        if (why !== undefined) this.#leftOut.add(keyOf(server, `model ${model.name}`));
        return this.#unless(why, record);
      }
      case 'run':
        return this.#run(record);
      case 'modelVersion':
        return this.#unless(this.#whyVersion(record), record);
      case 'loggedModel':
        return this.#unless(
          this.#whyExperiment(record) ?? this.filter.loggedModel(record.model),
          record,
        );
      case 'server':
      case 'dataset':
        return [record];
    }
    return [record]; // of a kind of the user's own
  }

  #run(record: RunRecord): readonly RunRecord[] {
    const { run, versions, server } = record;
    const why = this.#whyExperiment(record) ?? this.filter.run(run);
    if (why !== undefined) return this.#unless(why, record);
    const kept = versions.filter((version) => this.#whyVersion({ version, server }) === undefined);
    const { prompts } = record;
    const usable = prompts?.filter(({ name }) => this.#whyModel(name, server) === undefined);
    if (kept.length === versions.length && usable?.length === prompts?.length) return [record];
    const changed = { ...record, versions: kept };
    return [usable === undefined ? changed : { ...changed, prompts: usable }];
  }

  #whyModel(name: string, server: ServerFacts): string | undefined {
    return (
      this.filter.modelNamed(name) ??
      (this.#leftOut.has(keyOf(server, `model ${name}`)) ? 'models' : undefined)
    );
  }

  #whyExperiment({ experiment, server }: RunRecord | LoggedModelRecord): string | undefined {
    return (
      this.filter.experimentNamed(experiment.name) ??
      (this.#leftOut.has(keyOf(server, experiment.experimentId)) ? 'experiments' : undefined)
    );
  }

  #whyVersion({ version, server }: Pick<ModelVersionRecord, 'version' | 'server'>) {
    return this.#whyModel(version.name, server) ?? this.filter.version(version);
  }

  #unless<R extends MlflowRecord>(why: string | undefined, record: R): readonly R[] {
    if (why === undefined) return [record];
    this.recorder?.skipped(leftOutBy(record.kind, why));
    return [];
  }
}

function keyOf({ workspace = '' }: ServerFacts, id: string): string {
  return `${workspace} ${id}`;
}
