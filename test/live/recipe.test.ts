/**
 * Recipes of DataHub's own connector, run by it and by this package: what arrives is the same, but
 * for the differences that are meant.
 */

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command, WRITTEN } from './command.js';
import { compare } from './compare.js';
import { startKnownAspects, type Known, type KnownAspects } from './known-aspects.js';
import { ingest, type PeerResult } from './peer.js';
import {
  canonical,
  readProposals,
  withoutSystemMetadata,
  type FiledProposal,
  type Json,
  type JsonObject,
} from './proposals.js';
import { recipeDifferences, SOMEONE } from './recipe-differences.js';
import { seed } from './seed.js';
import { startMlflow, type MlflowServer } from './servers.js';

/** What people did in DataHub, to every dataset and experiment. */
const KNOWN: Known = {
  globalTags: {
    record: 'com.linkedin.common.GlobalTags',
    aspect: {
      tags: [{ tag: 'urn:li:tag:by-hand' }, { tag: 'urn:li:tag:NeedsReview', context: 'by hand' }],
    },
  },
  glossaryTerms: {
    record: 'com.linkedin.common.GlossaryTerms',
    aspect: {
      terms: [{ urn: 'urn:li:glossaryTerm:ByHand' }],
      auditStamp: { time: 1, actor: SOMEONE },
    },
  },
  ownership: {
    record: 'com.linkedin.common.Ownership',
    aspect: {
      owners: [
        { owner: 'urn:li:corpuser:ada', type: 'DATAOWNER' },
        { owner: 'urn:li:corpuser:ada', type: 'DEVELOPER' },
      ],
      ownerTypes: {},
      lastModified: { time: 1, actor: SOMEONE },
    },
  },
};

const LISTS: Readonly<Record<string, string>> = {
  globalTags: 'tags',
  glossaryTerms: 'terms',
  ownership: 'owners',
};

const recipes = ['overwrite', 'patch'] as const;
type Recipe = (typeof recipes)[number];

const met = new Set<string>();
let server: MlflowServer;
let datahub: KnownAspects;
let env: Readonly<Record<string, string>>;
let folder: string;
let peers: Readonly<Record<Recipe, PeerResult>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recipes-'));
  datahub = await startKnownAspects(KNOWN);
  server = await startMlflow('2.22.5', async (database) => {
    await seed('2.22.5', `sqlite:///${database}`, 'common');
    removeModelsWithCommas(database);
  });
  env = { MLFLOW_URL: server.uri, DATAHUB_URL: datahub.url };
  const [overwrite, patch] = await Promise.all(recipes.map(runPeer));
  if (overwrite === undefined || patch === undefined) throw new Error('the peer gave nothing');
  peers = { overwrite, patch };
});

afterAll(async () => {
  await server.stop();
  datahub.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.each(recipes)('the recipe %s', (recipe) => {
  let ours: readonly FiledProposal[];

  beforeAll(async () => {
    ours = await runOurs(recipe, fileOf(recipe), recipe);
  });

  it("says what DataHub's own connector says, but for what differs on purpose", () => {
    const peer = peers[recipe];
    // It has no platform for some datasets, and fails, where they are materialized.
    expect(peer.status, peer.log).toBe(recipe === 'overwrite' ? 1 : 0);
    const comparison = compare(peer.proposals, ours.map(patched), recipeDifferences);
    for (const name of comparison.met) met.add(name);
    expect(comparison.unexpected).toEqual([]);
    expect(comparison.compared).toBeGreaterThan(600);
  });

  it('gives the same, byte for byte, as the configuration that `migrate` writes', async () => {
    await mkdir(join(folder, `${recipe}-migrated`));
    const config = join(folder, `${recipe}-migrated`, 'pipeline.config.ts');
    const { status, output } = await command(['migrate', fileOf(recipe), config], { folder });
    expect(status, output).toBe(0);
    await runOurs(recipe, config, `${recipe}-migrated`);
    const [before, after] = await Promise.all(
      [recipe, `${recipe}-migrated`].map((name) =>
        readFile(join(folder, name, 'out.json'), 'utf8'),
      ),
    );
    expect(withoutSystemMetadata(after ?? '')).toBe(withoutSystemMetadata(before ?? ''));
  });
});

it('touches what the transformers touch', () => {
  const touched = (aspectName: string) => typesOf(peers.overwrite.proposals, aspectName);
  expect(touched('domains')).toEqual(['container', 'dataset', 'mlModelGroup']);
  expect(touched('ownership')).toEqual(['container', 'dataset', 'mlModel', 'mlModelGroup']);
  expect(touched('glossaryTerms')).toEqual(['dataset']);
  expect(typesOf(peers.patch.proposals, 'ownership')).toEqual(['container', 'dataset']);
});

it('has met every deliberate difference', () => {
  const names = new Set(recipeDifferences.map(({ name }) => name));
  expect([...names].filter((name) => !met.has(name))).toEqual([]);
});

async function runPeer(recipe: Recipe): Promise<PeerResult> {
  const own = join(folder, `${recipe}-peer`);
  await mkdir(own);
  return ingest(fileOf(recipe), own, env);
}

async function runOurs(
  recipe: Recipe,
  config: string,
  name: string,
): Promise<readonly FiledProposal[]> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const { status, output } = await command(['run', '--config', config, ...WRITTEN], {
    folder: own,
    env,
  });
  expect(status, `${recipe}: ${output}`).toBe(0);
  return readProposals(join(own, 'out.json'));
}

function fileOf(recipe: Recipe): string {
  return fileURLToPath(new URL(`recipes/${recipe}.yml`, import.meta.url));
}

/** At their end, the peer's transformers parse the URNs that it has made of them, and its run ends. */
function removeModelsWithCommas(database: string): void {
  const connection = new Database(database);
  for (const table of ['registered_model_aliases', 'registered_model_tags', 'model_version_tags']) {
    connection.prepare(`DELETE FROM ${table} WHERE name LIKE '%,%'`).run();
  }
  connection.prepare(`DELETE FROM model_versions WHERE name LIKE '%,%'`).run();
  connection.prepare(`DELETE FROM registered_models WHERE name LIKE '%,%'`).run();
  connection.close();
}

function typesOf(proposals: readonly FiledProposal[], aspectName: string): readonly string[] {
  const types = proposals.filter((each) => each.aspectName === aspectName);
  return [...new Set(types.map(({ entityType }) => entityType))].sort();
}

interface Patch {
  readonly arrayPrimaryKeys: Readonly<Record<string, readonly string[]>>;
  readonly patch: readonly { readonly op: string; readonly path: string; readonly value: Json }[];
}

/** What DataHub has when it has taken the patch. */
function patched(proposal: FiledProposal): FiledProposal {
  const { changeType, aspectName } = proposal;
  if (changeType !== 'PATCH') return proposal;
  const { value } = proposal.aspect as unknown as { readonly value: string };
  const { arrayPrimaryKeys, patch } = JSON.parse(value) as Patch;
  const known = KNOWN[aspectName]?.aspect ?? {};
  const field = LISTS[aspectName] ?? '';
  const elements = new Map<string, Json>(
    (known[field] as readonly JsonObject[]).map((element) => {
      const keys = arrayPrimaryKeys[field]?.map((name) => valueAt(element, name.split('␟')));
      return [`/${[field, ...(keys ?? [])].join('/')}`, element];
    }),
  );
  for (const { op, path, value: element } of patch) {
    expect(op).toBe('add');
    elements.set(path, element);
  }
  return {
    ...proposal,
    changeType: 'UPSERT',
    aspect: { json: { ...known, [field]: [...elements.values()] } },
  };
}

function valueAt(element: Json, [name, ...rest]: readonly string[]): string {
  if (typeof element === 'string') return element;
  const inner = (element as JsonObject)[name ?? ''];
  return inner === undefined ? '' : rest.length === 0 ? canonicalText(inner) : valueAt(inner, rest);
}

function canonicalText(value: Json): string {
  return typeof value === 'string' ? value : canonical(value);
}
