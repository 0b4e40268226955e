/**
 * Each server that is supported, filled with awkward content: what this pipeline says of it is what
 * DataHub's own connector says, but for the differences that are meant.
 */

import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare, type Comparison } from './compare.js';
import { CREATOR, deliberateDifferences } from './deliberate-differences.js';
import { runOurs, type OurResult } from './ours.js';
import { runPeer, type PeerResult } from './peer.js';
import { asSet, type FiledProposal, withoutSystemMetadata } from './proposals.js';
import { MLFLOW_VERSIONS, type MlflowVersion } from './releases.js';
import { seed, type Seeded } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';
import { checkAgainstServer } from './truth.js';
import { validate, type Validation } from './validate.js';

const WITHOUT_ALIASES = [
  'tag with a colon',
  'alias of plain',
  'alias of stages',
  'alias of comma, (parentheses) and 100%',
  'alias zeta',
  'alias alpha',
  'alias constructor',
  'alias Under_score-1',
  'dataset inputs',
  'prompts',
  'logged models',
];

/** What each server would not take: known, so that nothing else goes missing unseen. */
const REFUSED: Readonly<Record<MlflowVersion, readonly string[]>> = {
  '1.27.0': ['empty tag', ...WITHOUT_ALIASES],
  '1.28.0': ['parameter of 6000 characters', ...WITHOUT_ALIASES],
  '2.22.5': ['logged models'],
  '3.17.2': ['model with a slash'],
};

const met = new Set<string>();

function compareAndNote(peer: PeerResult, ours: OurResult): Comparison {
  const comparison = compare(peer.proposals, ours.proposals);
  for (const name of comparison.met) met.add(name);
  return comparison;
}

describe.each(MLFLOW_VERSIONS)('MLflow %s', (version) => {
  const gated = version === '1.27.0';
  let server: MlflowServer;
  let seeded: Seeded;
  let ours: OurResult;
  let peer: PeerResult;
  let validation: Validation;

  beforeAll(async () => {
    server = await startMlflow(version);
    seeded = await seed(version, server.uri, 'common');
    nameCreator(server.database);
    failRegistration(server.database);
    // Together, as starting Python is what takes the time.
    [peer, ours] = await Promise.all([
      runPeer(server.uri),
      runOurs(server.uri, undefined, async (file) => {
        validation = await validate(file);
      }),
    ]);
  });

  afterAll(async () => {
    await server.stop();
  });

  it('takes all content but what it is known to refuse', () => {
    expect(seeded.refused).toEqual(REFUSED[version]);
    expect(seeded.experiments).toBe(11);
  });

  it('is read to the end, with nothing rejected', () => {
    expect(ours.report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
    expect(ours.report.counts.rejected).toBe(0);
  });

  it("says what DataHub's own connector says, but for what differs on purpose", () => {
    expect(peer.status, peer.log).toBe(0);
    const { unexpected, compared } = compareAndNote(peer, ours);
    expect(unexpected).toEqual([]);
    expect(compared).toBeGreaterThan(gated ? 150 : 400);
  });

  it("is valid by DataHub's own classes and its own command", () => {
    expect(validation.problems).toEqual([]);
    expect(validation.count).toBe(ours.proposals.length);
    expect(validation.found).toBe(ours.proposals.length);
  });

  it('says what the server says', async () => {
    expect(await checkAgainstServer(server, ours.proposals)).toEqual([]);
  });

  it('gives the same bytes when it is read again', async () => {
    const again = await runOurs(server.uri);
    expect(withoutSystemMetadata(again.text)).toBe(withoutSystemMetadata(ours.text));
    expect(again.text).not.toBe(ours.text);
  });

  if (gated) {
    it('is too old for experiments and runs, and says so', () => {
      const warnings = ours.report.counts.warnings.map(({ message }) => message);
      expect(warnings.filter((message) => message.includes('1.28.0'))).toHaveLength(1);
      const types = new Set(ours.proposals.map(({ entityType }) => entityType));
      expect([...types].sort()).toEqual(['mlModel', 'mlModelGroup', 'platformResource', 'tag']);
      const model = find(ours.proposals, ',plain_1,', 'mlModelProperties');
      expect(model?.aspect.json['hyperParams']).toContainEqual({
        name: '__proto__',
        value: 'polluted',
      });
      expect(model?.aspect.json['trainingMetrics']).toContainEqual({
        name: 'below_fixed_point',
        value: '1e-05',
      });
    });
  } else {
    it('gives the same when its database is read directly', async () => {
      const direct = await runOurs(`sqlite:///${server.database}`);
      expect(asSet(direct.proposals)).toEqual(asSet(ours.proposals));
    });
  }

  // The peer can open databases of this version, and its options are the same for all.
  if (version === '2.22.5') {
    it('compares for a database that both read directly', async () => {
      const uri = `sqlite:///${server.database}`;
      const [theirs, own] = await Promise.all([runPeer(uri), runOurs(uri)]);
      expect(theirs.status, theirs.log).toBe(0);
      expect(compareAndNote(theirs, own).unexpected).toEqual([]);
    });

    it('compares with every option set', async () => {
      const mapping = { hugging_face: 'huggingface', http: 'http', unheard_of: 'hive' };
      const [theirs, own] = await Promise.all([
        runPeer(server.uri, {
          base_external_url: 'https://mlflow.example.com/',
          env: 'DEV',
          model_name_separator: '-',
          materialize_dataset_inputs: true,
          source_mapping_to_platform: mapping,
        }),
        runOurs(server.uri, {
          buildUrns: { env: 'DEV', modelNameSeparator: '-' },
          mapToProposals: {
            baseExternalUrl: 'https://mlflow.example.com/',
            materializeDatasetInputs: true,
            sourceMappingToPlatform: mapping,
          },
        }),
      ]);
      expect(theirs.status, theirs.log).toBe(1); // it has no platform for some datasets, and fails
      expect(compareAndNote(theirs, own).unexpected).toEqual([]);
    });
  }

  // Last, since the peer does not get through this store any more.
  it("is read where DataHub's own connector gives up", async () => {
    await seed(version, server.uri, 'unreadable');
    if (version === '2.22.5') {
      const theirs = await runPeer(server.uri);
      expect(theirs.status).toBe(1);
      expect(find(theirs.proposals, ',tagged_1,', 'mlModelProperties')).toBeUndefined();
    }

    const own = await runOurs(server.uri, undefined, async (file) => {
      expect((await validate(file)).problems).toEqual([]);
    });
    expect(own.report).toMatchObject({ exitStatus: 0, outcome: 'complete' });
    expect(find(own.proposals, `o'brien's "best" \`model\`_2,`, 'mlModelProperties')).toBeDefined();
    const kept = new Set(asSet(own.proposals));
    expect(asSet(ours.proposals).filter((text) => !kept.has(text))).toEqual([]);
  });
});

it('has met every deliberate difference', () => {
  const names = new Set(deliberateDifferences.map(({ name }) => name));
  expect([...names].filter((name) => !met.has(name))).toEqual([]);
});

/** Servers of others than MLflow's own note who made a version. */
function nameCreator(database: string): void {
  const connection = new Database(database);
  connection.prepare("UPDATE model_versions SET user_id = ? WHERE name = 'tagged'").run(CREATOR);
  connection.close();
}

/** Only Databricks has such. */
function failRegistration(database: string): void {
  const connection = new Database(database);
  connection
    .prepare(
      "UPDATE model_versions SET status = 'FAILED_REGISTRATION', status_message = ? WHERE name = 'tagged'",
    )
    .run('No such artifact.');
  connection.close();
}

function find(
  proposals: readonly FiledProposal[],
  urnPart: string,
  aspectName: string,
): FiledProposal | undefined {
  return proposals.find(
    (proposal) => proposal.entityUrn.includes(urnPart) && proposal.aspectName === aspectName,
  );
}
