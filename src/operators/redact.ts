/**
 * `redact`: keeps parameters, tags and users to oneself.
 */

import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { pattern, patternTest } from '../core/pattern.js';
import { MODEL_HISTORY_TAG } from '../mlflow/model-description.js';
import { LINKED_PROMPTS_TAG, PROMPT_TAG } from '../mlflow/prompt.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { KeyValue, LoggedModel, ModelVersion, Run } from '../mlflow/types.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { PARENT_TAG } from './build-urns/urn-builder.js';
import { SOURCE_CODE_TAGS } from './map-to-proposals/source-code.js';
import { perRecord } from './per-record.js';

/** MLflow keeps the user of a run here as well. */
const USER_TAG = 'mlflow.user';

/** What links and relations are made of: a hash in one would be a link to nowhere. */
const LINKING_TAGS: ReadonlySet<string> = new Set([
  PARENT_TAG,
  MODEL_HISTORY_TAG,
  ...SOURCE_CODE_TAGS,
]);

/** 64 bits as hexadecimal digits: nobody has so many users or values that two would be one. */
const HASH_LENGTH = 16;

const patterns = z.strictObject({
  params: pattern().optional().describe('Names of parameters'),
  tags: pattern().optional().describe('Names of tags, of runs, versions, models and experiments'),
  users: pattern().optional().describe('Users, of runs and versions'),
});

export const redactOptionsSchema = z.strictObject({
  drop: patterns.optional().describe('What is left out: patterns for `params`, `tags`, `users`'),
  hash: patterns
    .optional()
    .describe('Whose values are replaced by a hash, so that the same ones stay the same'),
  userTags: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Names of tags that hold a user, as `owner` may: what is for `users` is for their values, too, ' +
        'as it always is for `mlflow.user`',
    ),
  salt: z
    .string()
    .min(1)
    .optional()
    .describe('Goes into the hashes, so that nobody finds a value by trying: keep it secret'),
});

export type RedactOptions = z.input<typeof redactOptionsSchema>;

type Rule = (name: string) => boolean;

interface Rules {
  readonly params: Rule;
  readonly tags: Rule;
  readonly users: Rule;
}

/**
 * Drops or hashes parameters, tags and users before they are mapped: nothing of them leaves, neither
 * in properties nor in URNs. What is to be dropped is dropped, also where it is to be hashed, and so
 * are tags that links are made of: the run that one is nested in, its models, the page of its code.
 *
 * What goes to the dead-letter file behind it is redacted and says so: a replay with the same options
 * lets it pass as it is. With others it is redacted once more.
 *
 * Its place is before `buildUrns`, since users are part of URNs. The tag `mlflow.user` is a user as
 * well as a tag, and so are those of `userTags`. Records that can't even be read go to the dead-letter
 * file as the server sent them.
 *
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const model = {
 *   name: 'churn', creationTimestamp: 1, lastUpdatedTimestamp: 2, aliases: [],
 *   tags: [{ key: 'phone', value: '555' }, { key: 'team', value: 'core' }],
 * };
 * from<MlflowRecord[]>([{ kind: 'registeredModel', server, model }])
 *   .pipe(redact({ drop: { tags: 'phone|mail' }, hash: { users: '.*' }, salt: 'a secret' }))
 *   .subscribe((record) => console.log(JSON.stringify('model' in record && record.model.tags)));
 * // [{"key":"team","value":"core"}]
 */
export function redact(options: RedactOptions): Operator<MlflowRecord, MlflowRecord> {
  const settings = parseOptions('redact', redactOptionsSchema, options);
  const { drop, hash: hashed, userTags, salt = '' } = settings;
  // The salt itself has no place in it.
  const signature = `redact ${JSON.stringify([drop, hashed, userTags, hash('sha256', salt)])}`;
  const mark = hash('sha256', signature).slice(0, HASH_LENGTH);
  const holdUsers = new Set([USER_TAG, ...userTags]);
  const redaction = new Redaction(rulesOf(drop), rulesOf(hashed), holdUsers, salt);
  let context: RunContext | undefined;
  const operator: Operator<MlflowRecord, MlflowRecord> = perRecord(
    (record) => [passedBefore(record, mark) ?? redaction.of(record, marks(record, mark))],
    () => context,
  );
  return Object.assign(operator, {
    label: 'redact',
    signature,
    takes: 'record' as const,
    open: (run: RunContext) => {
      context = run;
    },
  });
}

/** With itself taken out, where it has gone through this `redact` before it was a dead letter. */
function passedBefore(record: MlflowRecord, mark: string): MlflowRecord | undefined {
  if (record.redactedBefore === undefined) return undefined;
  const { redactedBefore, ...rest } = record;
  const at = redactedBefore.indexOf(mark);
  if (at < 0) return undefined;
  const others = redactedBefore.toSpliced(at, 1);
  return {
    ...rest,
    ...(others.length === 0 ? {} : { redactedBefore: others }),
    redacted: marks(record, mark),
  };
}

function marks({ redacted = [] }: MlflowRecord, mark: string): readonly string[] {
  return [...redacted, mark];
}

class Redaction {
  constructor(
    private readonly drop: Rules,
    private readonly hash: Rules,
    /** Names of tags. */
    private readonly holdUsers: ReadonlySet<string>,
    private readonly salt: string,
  ) {}

  /** @param redacted - what it has gone through then */
  of(record: MlflowRecord, redacted: readonly string[]): MlflowRecord {
    switch (record.kind) {
      case 'server':
        return record;
      case 'experiment': {
        const { experiment } = record;
        return {
          ...record,
          redacted,
          experiment: { ...experiment, tags: this.#tags(experiment.tags) },
        };
      }
      case 'registeredModel': {
        const { model } = record;
        return { ...record, redacted, model: { ...model, tags: this.#tags(model.tags) } };
      }
      case 'run': {
        const { prompts, ...rest } = record;
        const versions = record.versions.map((version) => this.#version(version));
        return {
          ...rest,
          redacted,
          run: this.#run(record.run),
          versions,
          // What a tag says must not stay beside it.
          ...(prompts === undefined || this.#changes(LINKED_PROMPTS_TAG) ? {} : { prompts }),
        };
      }
      case 'modelVersion': {
        const { version, run, loggedModel } = record;
        return {
          ...record,
          redacted,
          version: this.#version(version),
          ...(run === undefined ? {} : { run: this.#run(run) }),
          ...(loggedModel === undefined ? {} : { loggedModel: this.#loggedModel(loggedModel) }),
        };
      }
      case 'loggedModel':
        return { ...record, redacted, model: this.#loggedModel(record.model) };
      case 'dataset': {
        const uses = record.uses.map((use) => ({
          ...use,
          input: { ...use.input, tags: this.#tags(use.input.tags) },
        }));
        return { ...record, redacted, uses };
      }
    }
    return record; // of a kind of the user's own
  }

  #run(run: Run): Run {
    return {
      ...this.#withUser(run),
      params: this.#pairs(run.params, this.drop.params, this.hash.params),
      tags: this.#tags(run.tags),
      datasetInputs: run.datasetInputs.map((input) => ({ ...input, tags: this.#tags(input.tags) })),
    };
  }

  #loggedModel(model: LoggedModel): LoggedModel {
    return {
      ...model,
      params: this.#pairs(model.params, this.drop.params, this.hash.params),
      tags: this.#tags(model.tags),
    };
  }

  #version(version: ModelVersion): ModelVersion {
    return { ...this.#withUser(version), tags: this.#tags(version.tags) };
  }

  #withUser<T extends { readonly userId?: string }>(thing: T): T {
    const { userId, ...rest } = thing;
    if (userId === undefined) return thing;
    if (this.drop.users(userId)) return rest as T;
    return this.hash.users(userId) ? { ...thing, userId: this.#hashOf(userId) } : thing;
  }

  #tags(tags: readonly KeyValue[]): readonly KeyValue[] {
    const isHashed = (key: string, value: string): boolean =>
      this.hash.tags(key) || (this.holdUsers.has(key) && this.hash.users(value));
    const isDropped = (key: string, value: string): boolean =>
      this.drop.tags(key) ||
      (this.holdUsers.has(key) && this.drop.users(value)) ||
      (LINKING_TAGS.has(key) && isHashed(key, value));
    // That something is a prompt is nobody's secret, and without it prompts would be told as models.
    const unlessPrompt = (rule: typeof isDropped) => (key: string, value: string) =>
      key !== PROMPT_TAG && rule(key, value);
    return this.#pairs(tags, unlessPrompt(isDropped), unlessPrompt(isHashed));
  }

  /** Whether a tag is dropped or hashed for its name. */
  #changes(tag: string): boolean {
    return this.drop.tags(tag) || this.hash.tags(tag);
  }

  #pairs(
    pairs: readonly KeyValue[],
    isDropped: (key: string, value: string) => boolean,
    isHashed: (key: string, value: string) => boolean,
  ): readonly KeyValue[] {
    return pairs
      .filter(({ key, value }) => !isDropped(key, value))
      .map((pair) =>
        isHashed(pair.key, pair.value) ? { key: pair.key, value: this.#hashOf(pair.value) } : pair,
      );
  }

  #hashOf(value: string): string {
    return hash('sha256', JSON.stringify([this.salt, value])).slice(0, HASH_LENGTH);
  }
}

function rulesOf(given: z.output<typeof patterns> = {}): Rules {
  const rule = (text: string | undefined): Rule =>
    text === undefined ? () => false : patternTest(text);
  return { params: rule(given.params), tags: rule(given.tags), users: rule(given.users) };
}
