/**
 * `mapUser`: users of MLflow as owners in DataHub.
 */

import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { pattern, patternReplace, patternTest } from '../core/pattern.js';
import { withField } from '../core/with-field.js';
import type { MlflowRecord, ModelVersionRecord, RegisteredModelRecord } from '../mlflow/records.js';
import { tagValue } from '../mlflow/tag-value.js';
import type { KeyValue } from '../mlflow/types.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { perRecord } from './per-record.js';

export const mapUserOptionsSchema = z.strictObject({
  from: pattern().default('(.+)').describe('Users of MLflow; others own nothing'),
  to: z
    .string()
    .min(1)
    .default('$1')
    .describe(
      'The user of DataHub, or the URN of a user or a group, with `$1` for what the first group of ' +
        '`from` matched',
    ),
  ownerTag: z
    .string()
    .min(1)
    .optional()
    .describe('A tag of versions and of models whose value is the user, before who registered it'),
});

export type MapUserOptions = z.input<typeof mapUserOptionsSchema>;

/**
 * Makes whoever registered a version the owner of its mlModel, or who started its run where the
 * version names nobody. MLflow's users are names of anywhere, which is why it has to be said how they
 * are called in DataHub. With `ownerTag`, who stands in that tag goes before them, and owns the
 * mlModelGroup where a registered model has it. A run can have no owner in DataHub.
 *
 * Its place is before `buildUrns`, and behind `redact`, which says then who is named: before it, users
 * are told as they are, and whoever owns something leaves. Several of them stand beside each other:
 * the last one that knows the user counts.
 *
 * @param rule - options, or a function that gives the user of DataHub, undefined for none
 * @throws PipelineError `INVALID_OPTIONS` (usage), from the factory
 *
 * @example
 * const server = { uri: 'http://host:5000', versionText: '2.22.5', searchesExperiments: true };
 * const version = {
 *   name: 'churn', version: '3', userId: 'ada@example.com', currentStage: 'None', status: 'READY',
 *   creationTimestamp: 1, lastUpdatedTimestamp: 2, tags: [], aliases: [],
 * };
 * from<MlflowRecord[]>([{ kind: 'modelVersion', server, version }])
 *   .pipe(mapUser({ from: '(.+)@example.com' }))
 *   .subscribe((record) => console.log('owner' in record && record.owner)); // ada
 */
export function mapUser(
  rule: MapUserOptions | ((user: string) => string | undefined) = {},
): Operator<MlflowRecord, MlflowRecord> {
  if (typeof rule === 'function') return owned(rule);
  const options = parseOptions('mapUser', mapUserOptionsSchema, rule);
  const isKnown = patternTest(options.from);
  const replaced = patternReplace(options.from, options.to);
  return owned(
    (user) => (isKnown(user) ? replaced(user) : undefined),
    options.ownerTag,
    `mapUser ${JSON.stringify(options)}`,
  );
}

function owned(
  nameOf: (user: string) => string | undefined,
  ownerTag?: string,
  signature?: string,
): Operator<MlflowRecord, MlflowRecord> {
  const inTag = (tags: readonly KeyValue[]): string | undefined => {
    const user = ownerTag === undefined ? undefined : tagValue(tags, ownerTag);
    return user === undefined ? undefined : nameOf(user);
  };
  const owning = (record: MlflowRecord): MlflowRecord => {
    if (record.kind === 'registeredModel') return withOwner(record, inTag(record.model.tags));
    if (record.kind !== 'modelVersion') return record;
    const user = userOf(record);
    return withOwner(
      record,
      inTag(record.version.tags) ?? (user === undefined ? user : nameOf(user)),
    );
  };
  let context: RunContext | undefined;
  const operator: Operator<MlflowRecord, MlflowRecord> = perRecord(
    (record) => [owning(record)],
    () => context,
  );
  return Object.assign(operator, {
    label: 'mapUser',
    takes: 'record' as const,
    ...(signature === undefined ? {} : { signature }),
    open: (run: RunContext) => {
      context = run;
    },
  });
}

function withOwner(
  record: ModelVersionRecord | RegisteredModelRecord,
  owner: string | undefined,
): MlflowRecord {
  return owner === undefined ? record : withField(record, 'owner', owner);
}

/** Sources leave out what is empty, but those of users may not. */
function userOf({ version, run }: ModelVersionRecord): string | undefined {
  return [version.userId, run?.userId].find((user) => user !== undefined && user !== '');
}
