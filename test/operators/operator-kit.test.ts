/**
 * The operator kit, on every operator that there is.
 */

import { readdirSync } from 'node:fs';
import { filter as those } from 'rxjs';
import { describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import type { MlflowRecord } from '../../src/mlflow/records.js';
import type { OperatorKitOptions } from '../../src/testing/index.js';
import { ownersFromTag } from '../../examples/custom-operator/owners-from-tag.js';
import { describeOperator } from '../support/operator-kit.js';

const {
  addDomain,
  addOwners,
  addProperties,
  addTags,
  addTerms,
  buildUrns,
  dedup,
  filter,
  mapToProposals,
  mapUser,
  patch,
  redact,
  renameBy,
  setEnv,
  setPlatformInstance,
  validate,
  versionGate,
} = library;

const operators: Readonly<Record<string, OperatorKitOptions>> = {
  versionGate: { make: () => versionGate() },
  filter: {
    make: () =>
      filter({ experiments: { names: { deny: ['b'] } }, versions: { stages: ['Staging'] } }),
    drops: true,
  },
  redact: { make: () => redact({ hash: { users: 'a', tags: 'team' }, drop: { params: 'lr' } }) },
  mapUser: { make: () => mapUser() },
  'mapUser by a function': { make: () => mapUser((user) => `${user}@example.com`) },
  setPlatformInstance: { make: () => setPlatformInstance({ platformInstance: 'eu', models: 'a' }) },
  'setPlatformInstance by a function': {
    make: () => setPlatformInstance(({ name }) => `${name}s`),
  },
  setEnv: { make: () => setEnv({ env: 'DEV', models: 'a', experiments: 'b' }) },
  'setEnv by a function': { make: () => setEnv(({ name }) => (name === 'a' ? 'DEV' : undefined)) },
  buildUrns: { make: () => buildUrns() },
  'buildUrns with options': { make: () => buildUrns({ platformInstance: 'eu', env: 'QA' }) },
  mapToProposals: { make: () => mapToProposals(), before: () => [buildUrns()] },
  'mapToProposals with options': {
    make: () =>
      mapToProposals({
        aliasTags: true,
        datasetLineage: 'source',
        loggedModels: true,
        materializeDatasetInputs: true,
        modelFeatures: true,
      }),
    before: () => [mapUser(), setEnv({ env: 'DEV' }), buildUrns()],
  },
  addTags: { make: () => addTags({ tags: ['gold', 'a'] }) },
  'addTags by a function': {
    make: () => addTags(({ name, properties }) => [name, ...Object.keys(properties)]),
  },
  addTerms: { make: () => addTerms({ terms: ['a.b'] }) },
  addOwners: { make: () => addOwners({ owners: ['ada'] }) },
  'addOwners by a function': { make: () => addOwners(({ name }) => [{ owner: name }]) },
  addDomain: { make: () => addDomain({ domain: 'marketing' }) },
  addProperties: { make: () => addProperties({ properties: { cluster: 'eu-1' } }) },
  'addProperties by a function': { make: () => addProperties(({ name }) => ({ of: name })) },
  renameBy: { make: () => renameBy({ from: '(.*)', to: 'my $1' }) },
  'renameBy by a function': { make: () => renameBy(({ name }) => name.toUpperCase()) },
  patch: { make: () => patch() },
  dedup: { make: () => dedup() },
  validate: { make: () => validate() },
  'ownersFromTag of the examples': { make: () => ownersFromTag('team') },
  "RxJS's own filter": {
    make: () => those((record: MlflowRecord) => record.kind !== 'server'),
    takes: 'record',
  },
};

for (const [name, options] of Object.entries(operators)) describeOperator(name, options);

describe('the table above', () => {
  it('has every operator that there is', () => {
    const folder = new URL('../../src/operators/', import.meta.url);
    const named = readdirSync(folder, { withFileTypes: true })
      .map(({ name }) =>
        name.replace(/\.ts$/, '').replace(/-(.)/g, (_, c: string) => c.toUpperCase()),
      )
      .filter((name) => name in library);
    expect(named.length).toBeGreaterThan(14);
    expect(Object.keys(operators)).toEqual(expect.arrayContaining(named));
  });
});
