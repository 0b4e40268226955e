/**
 * What was noted of a model when it was logged, from the tags of its run, as properties of the mlModel.
 */

import {
  MODEL_HISTORY_TAG,
  parseModelHistory,
  type ModelDescription,
} from '../../mlflow/model-description.js';
import type { ModelVersionRecord } from '../../mlflow/records.js';
import { tagValue } from '../../mlflow/tag-value.js';
import { identityOf } from '../per-record.js';
import { addKnown, type Properties } from './aspects.js';

/** Versions of one run come one behind the other mostly, and the tag may be of some kilobytes. */
export class ModelHistories {
  #text: string | undefined;
  #models: readonly ModelDescription[] | undefined;

  /** Undefined where the text is no such thing. */
  read(text: string): readonly ModelDescription[] | undefined {
    if (text !== this.#text) {
      this.#models = parseModelHistory(text);
      this.#text = text;
    }
    return this.#models;
  }
}

/** What the description of a version needs of the mapping. */
export interface Describing {
  readonly histories: ModelHistories;
  warn(code: string, message: string, example: string): void;
}

/** Undefined where the version is of no run, or of no model that was logged in it. */
export function describedModel(
  record: ModelVersionRecord,
  mapping: Describing,
): ModelDescription | undefined {
  const { version, run } = record;
  const text = run === undefined ? undefined : tagValue(run.tags, MODEL_HISTORY_TAG);
  if (run === undefined || text === undefined) return undefined;
  const models = mapping.histories.read(text);
  if (models === undefined) {
    mapping.warn(
      'MALFORMED_MODEL_HISTORY',
      `the tag ${MODEL_HISTORY_TAG} of a run is no JSON list, and nothing of it is told with its models`,
      `${identityOf(record)} of run ${run.runId}`,
    );
    return undefined;
  }
  const path = artifactPath(version.source, run.runId);
  // What is logged again replaces what was there.
  return path === undefined ? undefined : models.findLast((model) => model.artifactPath === path);
}

/**
 * `model` of `s3://bucket/7/4f2a/artifacts/model` and of `runs:/4f2a/model`; undefined where the
 * source is not among the run's artifacts, as with the logged models of MLflow 3.
 */
function artifactPath(source: string | undefined, runId: string): string | undefined {
  const start = source?.indexOf(`/${runId}/`) ?? -1;
  if (source === undefined || start < 0) return undefined;
  return source
    .slice(start + runId.length + 2)
    .replace(/^artifacts\//, '')
    .replace(/\/+$/, '');
}

/** A tag of the version of the same name goes before. */
export function describeInto(custom: Properties, description: ModelDescription): void {
  const { flavors, pythonVersion, mlflowVersion, signature = {} } = description;
  const told = [
    ['mlflow.flavors', flavors.length === 0 ? undefined : flavors.join(', ')],
    ['mlflow.mlflow_version', mlflowVersion],
    ['mlflow.python_version', pythonVersion],
    ['mlflow.signature.inputs', signature.inputs],
    ['mlflow.signature.outputs', signature.outputs],
    ['mlflow.signature.params', signature.params],
  ] as const;
  addKnown(told, custom);
}
