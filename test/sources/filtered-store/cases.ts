/**
 * Stores and filters of any kind, and what a store would hold if what a filter leaves out had been
 * deleted.
 */

import fc from 'fast-check';
import { recordFilter } from '../../../src/mlflow/filter/record-filter.js';
import type { Choice, FilterRules, TagChoice } from '../../../src/mlflow/filter/rules.js';
import {
  EXPERIMENT,
  LOGGED_MODEL,
  MODEL_VERSION,
  readItem,
  REGISTERED_MODEL,
  RUN,
} from '../../../src/mlflow/parse.js';
import type { EntityReader } from '../../../src/mlflow/parse.js';
import type { MlflowRecord } from '../../../src/mlflow/records.js';
import { sampleContent, type ServerContent, type WirePair } from '../../support/mlflow-server.js';

const DAY_MS = 86_400_000;
/** When ages count from. */
export const NOW = Date.UTC(2026, 1, 1);

const TEAMS = ['core', 'Core', 'ml', ''];
const STATUSES = ['FINISHED', 'FAILED', 'RUNNING', 'KILLED', 'SCHEDULED'];
const STAGES = ['None', 'Staging', 'Production', 'Archived'];
const USERS = ['ada', 'grace', 'bot-1'];
const MODEL_STATUSES = ['PENDING', 'READY', 'UPLOAD_FAILED'].map((one) => `LOGGED_MODEL_${one}`);
const MODEL_TYPES = ['', 'classifier', 'agent'];

/** One number for each choice that is made for a store. */
const dice = fc.infiniteStream(fc.nat(1_000));

/**
 * A store in the shape of MLflow's JSON: 5 experiments, 30 runs, 4 models, 12 versions, 8 logged models,
 * some deleted.
 */
export const contents: fc.Arbitrary<ServerContent> = dice.map((numbers) => {
  const roll = (sides: number): number => (numbers.next().value ?? 0) % sides;
  const pick = <T>(list: readonly T[]): T => list[roll(list.length)] as T;
  const tags = (): WirePair[] => [
    ...(roll(3) === 0 ? [] : [{ key: 'team', value: pick(TEAMS) }]),
    ...(roll(3) === 0 ? [{ key: 'Gold star', value: 'yes' }] : []),
  ];
  const content = sampleContent({
    experiments: 5,
    runsPerExperiment: 6,
    models: 4,
    versionsPerModel: 3,
  });
  for (const experiment of content.experiments) {
    experiment.tags = tags();
    experiment.creation_time = NOW - roll(20) * DAY_MS;
  }
  for (const { info, data, inputs } of content.runs) {
    info.status = pick(STATUSES);
    info.user_id = pick(USERS);
    info.start_time = NOW - roll(20) * DAY_MS - roll(3);
    // 1.x keeps a run's name in its tags alone.
    const named = { key: 'mlflow.runName', value: info.run_name ?? '' };
    const user = { key: 'mlflow.user', value: info.user_id };
    if (data !== undefined) data.tags = [...tags(), user, named];
    // Whoever starts last describes it.
    const [input] = inputs?.dataset_inputs ?? [];
    if (input !== undefined) input.dataset['digest'] = info.run_id.slice(-4);
  }
  for (const model of content.registeredModels) {
    model.tags = tags();
    model.last_updated_timestamp = NOW - roll(20) * DAY_MS;
    model.aliases = roll(2) === 0 ? [] : [{ alias: 'champion', version: String(1 + roll(3)) }];
  }
  for (const version of content.modelVersions) {
    version.tags = tags();
    version.current_stage = pick(STAGES);
    version.user_id = pick(USERS);
    version.run_id = pick(content.runs).info.run_id;
    version.creation_timestamp = NOW - roll(20) * DAY_MS;
  }
  content.loggedModels = Array.from({ length: 8 }, (_, index) => ({
    info: {
      model_id: `m-${String(index).padStart(32, '0')}`,
      experiment_id: pick(content.experiments).experiment_id,
      name: `model ${1 + roll(4)}`,
      creation_timestamp_ms: NOW - roll(20) * DAY_MS,
      source_run_id: pick(content.runs).info.run_id,
      status: pick(MODEL_STATUSES),
      model_type: pick(MODEL_TYPES),
      tags: tags(),
    },
  }));
  return content;
});

/** Absent more often than not: with many rules, nothing would be left. */
const optional = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 2, arbitrary: some });

const choiceOf = (...patterns: string[]): fc.Arbitrary<Choice | undefined> => {
  const lists = fc.uniqueArray(fc.constantFrom(...patterns), { minLength: 1, maxLength: 3 });
  return optional(
    fc.oneof(lists, fc.record({ deny: lists }), fc.record({ allow: lists, deny: lists })),
  );
};

const ages = optional(fc.constantFrom('3d', '10d', '2w', '90d'));

const tagPatterns = fc.oneof(
  fc.record({ team: fc.constantFrom('core', 'core|ml', 'ml', '.*', 'c.*', 'CORE') }),
  fc.record({ 'Gold star': fc.constantFrom('yes', '.*') }),
);
const tagChoices: fc.Arbitrary<TagChoice | undefined> = optional(
  fc.oneof(fc.record({ allow: tagPatterns }), fc.record({ deny: tagPatterns })),
);

const rules: fc.Arbitrary<FilterRules> = fc.record({
  experiments: optional(
    fc.record({
      names: choiceOf('experiment [1-3]', 'experiment 4', '.*'),
      tags: tagChoices,
      createdWithin: ages,
    }),
  ),
  runs: optional(
    fc.record({
      names: choiceOf('run 1.*', 'run 2', '.*'),
      tags: tagChoices,
      statuses: choiceOf('FINISHED', 'FAILED', 'FINISHED|KILLED', 'R.*', 'finished'),
      users: choiceOf('ada', 'bot-.*', 'grace|ada'),
      startedWithin: ages,
    }),
  ),
  models: optional(
    fc.record({
      names: choiceOf('model 1', 'model [23]', '.*'),
      tags: tagChoices,
      updatedWithin: ages,
    }),
  ),
  versions: optional(
    fc.record({
      tags: tagChoices,
      stages: choiceOf('Production', 'Production|Staging', 'Archived'),
      aliases: choiceOf('champion', 'chall.*'),
      users: choiceOf('ada|grace'),
      createdWithin: ages,
    }),
  ),
  loggedModels: optional(
    fc.record({
      names: choiceOf('model 1', 'model [23]', '.*'),
      tags: tagChoices,
      statuses: choiceOf('READY', 'FAILED|PENDING', 'P.*'),
      types: choiceOf('classifier', '(agent)?', '.+'),
      createdWithin: ages,
    }),
  ),
});

/** One filter or two, which restrict anything or nothing. */
export const filters: fc.Arbitrary<FilterRules[]> = fc.array(rules, { minLength: 1, maxLength: 2 });

/** The store as if what is left out had been deleted: runs and experiments are still found by id. */
export function without(content: ServerContent, left: readonly FilterRules[]): ServerContent {
  const filter = recordFilter(left, NOW);
  const models = content.registeredModels.filter(
    (model) => filter.model(read(REGISTERED_MODEL, model)) === undefined,
  );
  const aliasesOf = (name: string, version: string): string[] =>
    (content.registeredModels.find((model) => model.name === name)?.aliases ?? [])
      .filter((alias) => alias.version === version)
      .map(({ alias }) => alias);
  return {
    experiments: content.experiments.map((experiment) =>
      filter.experiment(read(EXPERIMENT, experiment)) === undefined
        ? experiment
        : { ...experiment, lifecycle_stage: 'deleted' },
    ),
    runs: content.runs.map((run) =>
      filter.run(read(RUN, run)) === undefined
        ? run
        : { ...run, info: { ...run.info, lifecycle_stage: 'deleted' } },
    ),
    registeredModels: models.map((model) => ({
      ...model,
      // As the server makes them of all versions.
      latest_versions: content.modelVersions.filter(({ name }) => name === model.name),
    })),
    modelVersions: content.modelVersions.filter(({ name, ...rest }) => {
      const version = read(MODEL_VERSION, { name, ...rest });
      const whole = { ...version, aliases: aliasesOf(name, version.version) };
      return models.some((model) => model.name === name) && filter.version(whole) === undefined;
    }),
    loggedModels: (content.loggedModels ?? []).filter(
      (model) => filter.loggedModel(read(LOGGED_MODEL, model)) === undefined,
    ),
  };
}

/** In any order, without what tells a run that is left out from a deleted one. */
export function comparable(records: readonly MlflowRecord[]): string[] {
  return records
    .map((record) =>
      record.kind === 'modelVersion' && record.run !== undefined
        ? { ...record, run: { ...record.run, lifecycleStage: '' } }
        : record,
    )
    .map((record) => JSON.stringify(record))
    .sort();
}

function read<T>(reader: EntityReader<T>, json: unknown): T {
  const { item } = readItem(reader, json);
  if (item === undefined) throw new Error('the test makes what can not be read');
  return item;
}
