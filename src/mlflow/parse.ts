/**
 * A page of MLflow's JSON into entities. An item that can't be used becomes a rejection and the
 * rest of the page lives on.
 */

import { readLoggedModel } from './parse-logged-model.js';
import { readModelVersion, readRegisteredModel } from './parse-model.js';
import { readExperiment, readRun } from './parse-run.js';
import { MalformedError } from './parse-values.js';
import type { Experiment, LoggedModel, ModelVersion, RegisteredModel, Run } from './types.js';

/**
 * How one kind of entity is read from JSON and named.
 *
 * @example
 * for (const { item, rejection } of page.map((json) => readItem(RUN, json))) { ... }
 */
export interface EntityReader<T> {
  /** For people: `model version`. */
  readonly noun: string;
  /** Code of the rejection of an item that can't be used. */
  readonly malformed: string;
  /** @throws MalformedError */
  readonly read: (json: unknown) => T;
  /** What no two of its kind share. */
  readonly idOf: (item: T) => string;
  /** The id, as far as a malformed item has one. */
  readonly idIn: (json: unknown) => string | undefined;
  /** The keys, in their order, whose texts name an item in JSON that was cut off. */
  readonly idKeys: readonly string[];
}

/** A thing that could not be read: a `Rejection` of the stream's contract, of kind `record`. */
export interface RecordRejection {
  readonly kind: 'record';
  readonly code: string;
  readonly message: string;
  readonly identity: string;
  readonly content: unknown;
}

export type Parsed<T> =
  | { readonly item: T; readonly rejection?: undefined }
  | { readonly item?: undefined; readonly rejection: RecordRejection };

export const EXPERIMENT: EntityReader<Experiment> = {
  noun: 'experiment',
  malformed: 'MALFORMED_EXPERIMENT',
  read: readExperiment,
  idOf: ({ experimentId }) => experimentId,
  idIn: (json) => textIn(json, 'experiment_id') ?? textIn(json, 'name'),
  idKeys: ['experiment_id'],
};

export const RUN: EntityReader<Run> = {
  noun: 'run',
  malformed: 'MALFORMED_RUN',
  read: readRun,
  idOf: ({ runId }) => runId,
  idIn: (json) => {
    const info = property(json, 'info');
    return textIn(info, 'run_id') ?? textIn(info, 'run_uuid');
  },
  // The older name comes first in what servers send, and both are there.
  idKeys: ['run_uuid'],
};

export const REGISTERED_MODEL: EntityReader<RegisteredModel> = {
  noun: 'registered model',
  malformed: 'MALFORMED_REGISTERED_MODEL',
  read: readRegisteredModel,
  idOf: ({ name }) => name,
  idIn: (json) => textIn(json, 'name'),
  idKeys: ['name'],
};

export const MODEL_VERSION: EntityReader<ModelVersion> = {
  noun: 'model version',
  malformed: 'MALFORMED_MODEL_VERSION',
  read: readModelVersion,
  // A version has digits only, so that the first slash is the one between the two.
  idOf: ({ name, version }) => `${version}/${name}`,
  idIn: (json) => {
    const name = textIn(json, 'name');
    const version = textIn(json, 'version');
    return name === undefined || version === undefined ? name : `${name} version ${version}`;
  },
  idKeys: ['name', 'version'],
};

export const LOGGED_MODEL: EntityReader<LoggedModel> = {
  noun: 'logged model',
  malformed: 'MALFORMED_LOGGED_MODEL',
  read: readLoggedModel,
  idOf: ({ modelId }) => modelId,
  idIn: (json) => textIn(property(json, 'info'), 'model_id'),
  idKeys: ['model_id'],
};

/** One item of a list in MLflow's JSON. */
export function readItem<T>(reader: EntityReader<T>, json: unknown): Parsed<T> {
  try {
    return { item: reader.read(json) };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    const identity = `${reader.noun} ${reader.idIn(json) ?? 'without id'}`;
    const message = `${identity} can't be used: ${error.message}`;
    return {
      rejection: { kind: 'record', code: reader.malformed, message, identity, content: json },
    };
  }
}

function property(json: unknown, name: string): unknown {
  if (typeof json !== 'object' || json === null) return undefined;
  return (json as Record<string, unknown>)[name];
}

function textIn(json: unknown, name: string): string | undefined {
  const value = property(json, name);
  return (typeof value === 'string' && value !== '') || typeof value === 'number'
    ? String(value)
    : undefined;
}
