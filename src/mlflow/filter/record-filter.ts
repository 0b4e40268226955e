/**
 * Which entities rules leave out: the one place that decides, whatever else made sure that less is
 * read.
 */

import { ageMs } from '../../core/age.js';
import { patternTest } from '../../core/pattern.js';
import type { RecordKind } from '../records.js';
import type {
  Experiment,
  KeyValue,
  LoggedModel,
  ModelVersion,
  RegisteredModel,
  Run,
} from '../types.js';
import { type Choice, type FilterRules, sidesOf, type TagChoice } from './rules.js';

/** The name of a rule, as options have it, and whether it keeps a thing. */
type Rule<T> = readonly [name: string, keeps: (thing: T) => boolean];

/** Each method gives the rule that leaves a thing out, `runs.statuses`; undefined where it is kept. */
export interface RecordFilter {
  experiment(experiment: Experiment): string | undefined;
  /** What is known by the name alone; runs of such experiments are left out as well. */
  experimentNamed(name: string): string | undefined;
  run(run: Run): string | undefined;
  model(model: RegisteredModel): string | undefined;
  /** What is known by the name alone; versions of such models are left out as well. */
  modelNamed(name: string): string | undefined;
  /** Whether versions have to come with their aliases. */
  readonly needsAliases: boolean;
  version(version: ModelVersion): string | undefined;
  loggedModel(model: LoggedModel): string | undefined;
}

/**
 * @param filters - of which each has to keep a thing
 * @param now - that ages count from, milliseconds since 1970
 *
 * @example
 * const kept = recordFilter([{ runs: { statuses: ['FINISHED'] } }], Date.now());
 * kept.run(failed); // 'runs.statuses'
 */
export function recordFilter(filters: readonly FilterRules[], now: number): RecordFilter {
  const all = filters.map((rules) => rulesOf(rules, now));
  const experiments = all.flatMap((each) => each.experiments);
  const experimentNames = all.flatMap((each) => each.experimentNames);
  const runs = all.flatMap((each) => each.runs);
  const models = all.flatMap((each) => each.models);
  const modelNames = all.flatMap((each) => each.modelNames);
  const versions = all.flatMap((each) => each.versions);
  const loggedModels = all.flatMap((each) => each.loggedModels);
  const experimentNamed = (name: string): string | undefined => broken(experimentNames, name);
  const modelNamed = (name: string): string | undefined => broken(modelNames, name);
  return {
    experiment: (experiment) => experimentNamed(experiment.name) ?? broken(experiments, experiment),
    experimentNamed,
    run: (run) => broken(runs, run),
    model: (model) => modelNamed(model.name) ?? broken(models, model),
    modelNamed,
    needsAliases: filters.some(({ versions: rules }) => rules?.aliases !== undefined),
    version: (version) => broken(versions, version),
    loggedModel: (model) => broken(loggedModels, model),
  };
}

/** What `Recorder.skipped` is told. */
export function leftOutBy(kind: RecordKind, rule: string): string {
  return `${kind}: left out by ${rule}`;
}

function broken<T>(rules: readonly Rule<T>[], thing: T): string | undefined {
  for (const [name, keeps] of rules) if (!keeps(thing)) return name;
  return undefined;
}

function rulesOf(
  { experiments = {}, runs = {}, models = {}, versions = {}, loggedModels = {} }: FilterRules,
  now: number,
) {
  return {
    experimentNames: byText('experiments.names', experiments.names, (name: string) => name),
    experiments: [
      ...byTags('experiments.tags', experiments.tags, ({ tags }: Experiment) => tags),
      // Experiments of 1.28 have no time.
      ...byAge(
        'experiments.createdWithin',
        experiments.createdWithin,
        now,
        (one: Experiment) => one.creationTime ?? Infinity,
      ),
    ],
    runs: [
      ...byAge('runs.startedWithin', runs.startedWithin, now, ({ startTime }: Run) => startTime),
      ...byText('runs.statuses', runs.statuses, ({ status }: Run) => status),
      ...byText('runs.names', runs.names, ({ runName = '' }: Run) => runName),
      ...byText('runs.users', runs.users, ({ userId = '' }: Run) => userId),
      ...byTags('runs.tags', runs.tags, ({ tags }: Run) => tags),
    ],
    modelNames: byText('models.names', models.names, (name: string) => name),
    models: [
      ...byTags('models.tags', models.tags, ({ tags }: RegisteredModel) => tags),
      ...byAge(
        'models.createdWithin',
        models.createdWithin,
        now,
        (one: RegisteredModel) => one.creationTimestamp,
      ),
      ...byAge(
        'models.updatedWithin',
        models.updatedWithin,
        now,
        (one: RegisteredModel) => one.lastUpdatedTimestamp,
      ),
    ],
    versions: [
      ...byText('versions.stages', versions.stages, (one: ModelVersion) => one.currentStage),
      ...byText('versions.statuses', versions.statuses, ({ status }: ModelVersion) => status),
      ...byText('versions.users', versions.users, ({ userId = '' }: ModelVersion) => userId),
      ...byTexts('versions.aliases', versions.aliases, ({ aliases }: ModelVersion) => aliases),
      ...byTags('versions.tags', versions.tags, ({ tags }: ModelVersion) => tags),
      ...byAge(
        'versions.createdWithin',
        versions.createdWithin,
        now,
        (one: ModelVersion) => one.creationTimestamp,
      ),
      ...byAge(
        'versions.updatedWithin',
        versions.updatedWithin,
        now,
        (one: ModelVersion) => one.lastUpdatedTimestamp,
      ),
    ],
    loggedModels: [
      ...byText('loggedModels.names', loggedModels.names, ({ name }: LoggedModel) => name),
      ...byText('loggedModels.statuses', loggedModels.statuses, (one: LoggedModel) => one.status),
      ...byText(
        'loggedModels.types',
        loggedModels.types,
        ({ modelType = '' }: LoggedModel) => modelType,
      ),
      ...byTags('loggedModels.tags', loggedModels.tags, ({ tags }: LoggedModel) => tags),
      ...byAge(
        'loggedModels.createdWithin',
        loggedModels.createdWithin,
        now,
        (one: LoggedModel) => one.creationTimestamp,
      ),
    ],
  };
}

function byText<T>(
  name: string,
  choice: Choice | undefined,
  textOf: (thing: T) => string,
): readonly Rule<T>[] {
  if (choice === undefined) return [];
  const { allow, deny } = sidesOf(choice);
  const isAllowed = allow === undefined ? () => true : anyOf(allow);
  const isDenied = anyOf(deny ?? []);
  const keeps = (thing: T): boolean => {
    const text = textOf(thing);
    return isAllowed(text) && !isDenied(text);
  };
  return [[name, keeps]];
}

/** Of several texts, one has to be allowed, and none may be denied. */
function byTexts<T>(
  name: string,
  choice: Choice | undefined,
  textsOf: (thing: T) => readonly string[],
): readonly Rule<T>[] {
  if (choice === undefined) return [];
  const { allow, deny } = sidesOf(choice);
  const isAllowed = anyOf(allow ?? []);
  const isDenied = anyOf(deny ?? []);
  const keeps = (thing: T): boolean => {
    const texts = textsOf(thing);
    return (allow === undefined || texts.some(isAllowed)) && !texts.some(isDenied);
  };
  return [[name, keeps]];
}

function byTags<T>(
  name: string,
  choice: TagChoice | undefined,
  tagsOf: (thing: T) => readonly KeyValue[],
): readonly Rule<T>[] {
  if (choice === undefined) return [];
  const allowed = tagTests(choice.allow);
  const denied = tagTests(choice.deny);
  const keeps = (thing: T): boolean => {
    const tags = tagsOf(thing);
    return allowed.every((has) => has(tags)) && !denied.some((has) => has(tags));
  };
  return [[name, keeps]];
}

function byAge<T>(
  name: string,
  age: string | undefined,
  now: number,
  timeOf: (thing: T) => number,
): readonly Rule<T>[] {
  if (age === undefined) return [];
  const since = now - ageMs(age);
  return [[name, (thing) => timeOf(thing) >= since]];
}

function anyOf(patterns: readonly string[]): (text: string) => boolean {
  const tests = patterns.map(patternTest);
  return (text) => tests.some((matches) => matches(text));
}

function tagTests(
  patterns: Readonly<Record<string, string>> = {},
): readonly ((tags: readonly KeyValue[]) => boolean)[] {
  return Object.entries(patterns).map(([name, text]) => {
    const matches = patternTest(text);
    return (tags) => tags.some(({ key, value }) => key === name && matches(value));
  });
}
