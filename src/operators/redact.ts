/**
 * `redact`: keeps parameters, tags and users to oneself.
 */

import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseOptions } from '../core/options.js';
import { pattern } from '../core/pattern.js';
import type { MlflowRecord } from '../mlflow/records.js';
import type { Operator, RunContext } from '../stream/contracts.js';
import { perRecord } from './per-record.js';
import { Redaction } from './redaction/redaction.js';

/** Of hexadecimal digits: nobody has so many of them that two would be one. */
const MARK_LENGTH = 16;

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
  const told = [drop, hashed, hash('sha256', salt), ...(userTags.length === 0 ? [] : [userTags])];
  const signature = `redact ${JSON.stringify(told)}`;
  const mark = hash('sha256', signature).slice(0, MARK_LENGTH);
  const redaction = new Redaction({ drop, hash: hashed, userTags, salt });
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
