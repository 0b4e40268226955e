/**
 * Records of MLflow that were written down as JSON, taken up again.
 */

import {
  EXPERIMENT,
  LOGGED_MODEL,
  MODEL_VERSION,
  readItem,
  REGISTERED_MODEL,
  RUN,
  type EntityReader,
} from './parse.js';
import { RECORD_KINDS, type MlflowRecord } from './records.js';
import type { Experiment, Placement, ServerFacts } from './types.js';

/** What operators say of experiments, models, versions and datasets, and no source does. */
const PLACEMENT: ReadonlySet<string> = new Set<keyof Placement>(['env', 'platformInstance']);

/** The same of records. */
const SAID_BY_OPERATORS: ReadonlySet<string> = new Set(['urns', 'owner', ...PLACEMENT]);

const KINDS: ReadonlySet<string> = new Set(RECORD_KINDS);

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A record that was written as JSON, as an operator saw it, without what operators had written into
 * it: URNs, owner and placement. Numbers that JSON has no form for were written as texts. Absent where
 * it is no record.
 */
export function reviveRecord(content: unknown): MlflowRecord | undefined {
  if (!isObject(content) || typeof content['kind'] !== 'string') return undefined;
  if (!KINDS.has(content['kind']) || !isObject(content['server'])) return undefined;
  // Said anew by the operators of now: it may have been they that were wrong.
  const record: Record<string, unknown> = without(SAID_BY_OPERATORS, content);
  // Which of the operators to come it has gone through, and not in this replay.
  const redacted = [record['redacted'], record['redactedBefore']].flatMap(texts);
  delete record['redacted'];
  delete record['redactedBefore'];
  if (redacted.length > 0) record['redactedBefore'] = redacted;
  for (const part of ['run', 'loggedModel', 'model']) {
    const thing = record[part];
    if (isObject(thing)) record[part] = withNumbers(thing);
  }
  for (const part of ['experiment', 'model', 'version']) {
    if (part in record) record[part] = withoutPlacement(record[part]);
  }
  for (const part of ['versions', 'prompts']) {
    if (part in record) record[part] = mapped(record[part], withoutPlacement);
  }
  if (isObject(record['run'])) record['run'] = withoutPlacements(record['run']);
  return record as unknown as MlflowRecord;
}

/** An item as the server sent it, which may be readable by now, and where it came from. */
export interface RawItem {
  /** `MALFORMED_RUN` and so on: what it was taken for. */
  readonly code: string;
  readonly content: unknown;
  readonly server: ServerFacts;
  /** Of a run or a logged model. */
  readonly experiment?: Pick<Experiment, 'experimentId' | 'name'> | undefined;
}

/**
 * The record of an item that could not be read. A run comes without its versions, which were sent
 * without it, and a version without its run. Absent where it can't be read now either.
 */
export function readRawItem({
  code,
  content,
  server,
  experiment,
}: RawItem): MlflowRecord | undefined {
  switch (code) {
    case EXPERIMENT.malformed:
      return made(EXPERIMENT, content, (item) => ({
        kind: 'experiment',
        server,
        experiment: item,
      }));
    case RUN.malformed:
      if (experiment === undefined) return undefined;
      return made(RUN, content, (run) => ({ kind: 'run', server, run, experiment, versions: [] }));
    case REGISTERED_MODEL.malformed:
      return made(REGISTERED_MODEL, content, (model) => ({
        kind: 'registeredModel',
        server,
        model,
      }));
    case MODEL_VERSION.malformed:
      return made(MODEL_VERSION, content, (version) => ({ kind: 'modelVersion', server, version }));
    case LOGGED_MODEL.malformed:
      if (experiment === undefined) return undefined;
      return made(LOGGED_MODEL, content, (model) => ({
        kind: 'loggedModel',
        server,
        model,
        experiment,
      }));
    default:
      return undefined;
  }
}

function made<T>(
  reader: EntityReader<T>,
  content: unknown,
  toRecord: (item: T) => MlflowRecord,
): MlflowRecord | undefined {
  const { item } = readItem(reader, content);
  return item === undefined ? undefined : toRecord(item);
}

function withNumbers(thing: JsonObject): JsonObject {
  const { metrics } = thing;
  return Array.isArray(metrics) ? { ...thing, metrics: mapped(metrics, withNumber) } : thing;
}

/** Of a metric, and of what it was before. */
function withNumber(metric: unknown): unknown {
  if (!isObject(metric)) return metric;
  const { value, history } = metric;
  return {
    ...metric,
    ...(typeof value === 'string' ? { value: Number(value) } : {}),
    ...(history === undefined ? {} : { history: mapped(history, withNumber) }),
  };
}

function withoutPlacement(thing: unknown): unknown {
  return isObject(thing) ? without(PLACEMENT, thing) : thing;
}

/** Of the datasets that a run read. */
function withoutPlacements(run: JsonObject): JsonObject {
  if (!('datasetInputs' in run)) return run;
  return {
    ...run,
    datasetInputs: mapped(run['datasetInputs'], (input) =>
      isObject(input) ? { ...input, dataset: withoutPlacement(input['dataset']) } : input,
    ),
  };
}

function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === 'string') : [];
}

function without(fields: ReadonlySet<string>, thing: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(thing).filter(([field]) => !fields.has(field)));
}

/** What is no list stays as it is: it is for operators to say what is wrong with it. */
function mapped(things: unknown, change: (thing: unknown) => unknown): unknown {
  return Array.isArray(things) ? (things as readonly unknown[]).map(change) : things;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
