/**
 * What is left of a record when parameters, tags and users are dropped or hashed.
 */

import { hash } from 'node:crypto';
import { patternTest } from '../../core/pattern.js';
import { withField, withoutField } from '../../core/with-field.js';
import { MODEL_HISTORY_TAG } from '../../mlflow/model-description.js';
import { LINKED_PROMPTS_TAG, PROMPT_TAG } from '../../mlflow/prompt.js';
import type { MlflowRecord, RunRecord } from '../../mlflow/records.js';
import type { KeyValue, LoggedModel, ModelVersion, Run } from '../../mlflow/types.js';
import { PARENT_TAG } from '../build-urns/urn-builder.js';
import { SOURCE_CODE_TAGS } from '../map-to-proposals/source-code.js';

/** MLflow keeps the user of a run here as well. */
const USER_TAG = 'mlflow.user';

/** What links and relations are made of: a hash in one would be a link to nowhere. */
const LINKING_TAGS: ReadonlySet<string> = new Set([
  PARENT_TAG,
  MODEL_HISTORY_TAG,
  LINKED_PROMPTS_TAG,
  ...SOURCE_CODE_TAGS,
]);

/** 64 bits as hexadecimal digits: nobody has so many users or values that two would be one. */
const HASH_LENGTH = 16;

/** Patterns of names; nothing where there is none. */
interface Patterns {
  readonly params?: string | undefined;
  readonly tags?: string | undefined;
  readonly users?: string | undefined;
}

export interface RedactionSettings {
  readonly drop?: Patterns | undefined;
  readonly hash?: Patterns | undefined;
  /** Tags that hold a user, beside MLflow's own. */
  readonly userTags: readonly string[];
  readonly salt: string;
}

type Rule = (name: string) => boolean;

type Rules = Readonly<Record<keyof Patterns, Rule>>;

type PairRule = (pair: KeyValue) => boolean;

export class Redaction {
  readonly #drop: Rules;
  readonly #hash: Rules;
  readonly #holdUsers: ReadonlySet<string>;
  readonly #salt: string;

  constructor({ drop, hash: hashed, userTags, salt }: RedactionSettings) {
    this.#drop = rulesOf(drop);
    this.#hash = rulesOf(hashed);
    this.#holdUsers = new Set([USER_TAG, ...userTags]);
    this.#salt = salt;
  }

  /** @param redacted - what it has gone through then */
  of(record: MlflowRecord, redacted: readonly string[]): MlflowRecord {
    switch (record.kind) {
      case 'server':
        return record;
      case 'experiment': {
        const { experiment } = record;
        const tags = this.#tags(experiment.tags);
        return { ...withField(record, 'redacted', redacted), experiment: { ...experiment, tags } };
      }
      case 'registeredModel': {
        const { model } = record;
        const tags = this.#tags(model.tags);
        return { ...withField(record, 'redacted', redacted), model: { ...model, tags } };
      }
      case 'run':
        return this.#runRecord(withField(record, 'redacted', redacted));
      case 'modelVersion': {
        const { version, run, loggedModel } = record;
        return {
          ...withField(record, 'redacted', redacted),
          version: this.#version(version),
          ...(run === undefined ? {} : { run: this.#run(run) }),
          ...(loggedModel === undefined ? {} : { loggedModel: this.#loggedModel(loggedModel) }),
        };
      }
      case 'loggedModel': {
        const model = this.#loggedModel(record.model);
        return { ...withField(record, 'redacted', redacted), model };
      }
      case 'dataset': {
        const uses = record.uses.map((use) => ({
          ...use,
          input: { ...use.input, tags: this.#tags(use.input.tags) },
        }));
        return { ...withField(record, 'redacted', redacted), uses };
      }
    }
    return record; // of a kind of the user's own
  }

  #runRecord(record: RunRecord): RunRecord {
    const run = this.#run(record.run);
    const versions = record.versions.map((version) => this.#version(version));
    const redacted = { ...record, run, versions };
    if (record.prompts === undefined || !this.#changes(LINKED_PROMPTS_TAG)) return redacted;
    // What a tag says must not stay beside it.
    return withoutField(redacted, 'prompts');
  }

  #run(run: Run): Run {
    const { params, datasetInputs } = run;
    return {
      ...this.#withUser(run),
      params: this.#params(params),
      tags: this.#tags(run.tags),
      datasetInputs: datasetInputs.map((input) => ({ ...input, tags: this.#tags(input.tags) })),
    };
  }

  #loggedModel(model: LoggedModel): LoggedModel {
    return { ...model, params: this.#params(model.params), tags: this.#tags(model.tags) };
  }

  #version(version: ModelVersion): ModelVersion {
    return { ...this.#withUser(version), tags: this.#tags(version.tags) };
  }

  #withUser<T extends { readonly userId?: string }>(thing: T): T {
    const { userId } = thing;
    if (userId === undefined) return thing;
    if (this.#drop.users(userId)) return withoutField(thing, 'userId') as T;
    return this.#hash.users(userId) ? { ...thing, userId: this.#hashOf(userId) } : thing;
  }

  #params(params: readonly KeyValue[]): readonly KeyValue[] {
    return this.#pairs(
      params,
      ({ key }) => this.#drop.params(key),
      ({ key }) => this.#hash.params(key),
    );
  }

  #tags(tags: readonly KeyValue[]): readonly KeyValue[] {
    return this.#pairs(tags, this.#isTagDropped, this.#isTagHashed);
  }

  readonly #isTagDropped: PairRule = (tag) => {
    const { key, value } = tag;
    // That something is a prompt is nobody's secret, and without it prompts would be told as models.
    if (key === PROMPT_TAG) return false;
    return (
      this.#drop.tags(key) ||
      (this.#holdUsers.has(key) && this.#drop.users(value)) ||
      (LINKING_TAGS.has(key) && this.#isTagHashed(tag))
    );
  };

  readonly #isTagHashed: PairRule = ({ key, value }) =>
    key !== PROMPT_TAG &&
    (this.#hash.tags(key) || (this.#holdUsers.has(key) && this.#hash.users(value)));

  /** Whether a tag is dropped or hashed for its name. */
  #changes(tag: string): boolean {
    return this.#drop.tags(tag) || this.#hash.tags(tag);
  }

  #pairs(pairs: readonly KeyValue[], isDropped: PairRule, isHashed: PairRule): readonly KeyValue[] {
    // Nothing is to be done for most, and there are twenty of them to a run.
    if (!pairs.some((pair) => isDropped(pair) || isHashed(pair))) return pairs;
    return pairs
      .filter((pair) => !isDropped(pair))
      .map((pair) => (isHashed(pair) ? { key: pair.key, value: this.#hashOf(pair.value) } : pair));
  }

  #hashOf(value: string): string {
    return hash('sha256', JSON.stringify([this.#salt, value])).slice(0, HASH_LENGTH);
  }
}

function rulesOf({ params, tags, users }: Patterns = {}): Rules {
  const rule = (text: string | undefined): Rule =>
    text === undefined ? () => false : patternTest(text);
  return { params: rule(params), tags: rule(tags), users: rule(users) };
}
