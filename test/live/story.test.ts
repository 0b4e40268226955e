/**
 * The whole story of a model: trained, logged and registered by MLflow's own client, told to DataHub
 * from dataset to run to model to alias, and read back from DataHub Lite.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command } from './command.js';
import { tail } from './processes.js';
import { keyOf, readProposals, type FiledProposal, type JsonObject } from './proposals.js';
import { runWithMlflow, startMlflow } from './servers.js';
import { DataHubLite } from './story/datahub-lite.js';
import { expectedOf, GOLD_TAG, MODEL, OWNER, type Expected, type Told } from './story/expected.js';
import { validate } from './validate.js';

const SCRIPT = fileURLToPath(new URL('story/story.py', import.meta.url));

/** Entities that are sent themselves, or else the story leads nowhere. */
const REFERENCE =
  /urn:li:(?:mlModel|mlModelGroup|dataset|container|dataProcessInstance|platformResource|tag):(?:\([^"]+?\)|[^",()]+)(?=")/g;

describe.each(['2.22.5', '3.17.2'] as const)('the story of a model in MLflow %s', (version) => {
  let folder: string;
  let file: string;
  let proposals: readonly FiledProposal[];
  let expected: Expected;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), `story-${version}-`));
    file = join(folder, 'out.json');
    const server = await startMlflow(version);
    try {
      const lines = (await runWithMlflow(version, SCRIPT, [server.uri])).trimEnd().split('\n');
      const told = JSON.parse(lines.find((line) => line.startsWith('{')) ?? '{}') as Told;
      expected = expectedOf(told);
      await tell(server.uri);
    } finally {
      await server.stop();
    }
    proposals = await readProposals(file);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function tell(uri: string): Promise<void> {
    const config = join(folder, 'pipeline.config.js');
    await writeFile(config, configuration(uri));
    const { status, output } = await command(['run', '--config', config, '--to', file], { folder });
    if (status !== 0) throw new Error(`it ended with ${String(status)}\n${tail(output)}`);
  }

  it('is told from dataset to run to model to alias', () => {
    for (const [urn, aspects] of Object.entries(expected)) {
      expect(aspectsOf(proposals, urn), urn).toMatchObject(aspects);
    }
  });

  it('leads nowhere but to what is told as well', () => {
    const there = new Set(proposals.map(({ entityUrn }) => entityUrn));
    const named = new Set(JSON.stringify(proposals).match(REFERENCE));
    expect(named.size).toBeGreaterThan(10);
    expect([...named].filter((urn) => !there.has(urn))).toEqual([]);
  });

  it('is read back from DataHub Lite as it was sent', async () => {
    expect(await validate(file)).toMatchObject({ problems: [], count: proposals.length });
    const lite = await DataHubLite.in(folder);
    await lite.import(file);
    const found = new Map((await lite.export()).map((each) => [keyOf(each), each.aspect.json]));
    const sent = new Map(proposals.map((each) => [keyOf(each), each.aspect.json]));
    expect([...found.keys()].sort()).toEqual([...sent.keys()].sort());
    // DataHub fills in fields that may be left out.
    for (const [key, aspect] of sent) expect(found.get(key), key).toMatchObject(aspect);
    expect(await lite.get(MODEL)).toMatchObject({ urn: MODEL, ...aspectsOf(proposals, MODEL) });
  });
});

function aspectsOf(proposals: readonly FiledProposal[], urn: string): JsonObject {
  const own = proposals.filter(({ entityUrn }) => entityUrn === urn);
  return Object.fromEntries(own.map(({ aspectName, aspect }) => [aspectName, aspect.json]));
}

/** All of MLflow, labelled as an organisation would. */
function configuration(uri: string): string {
  return `
import {
  addTags, buildUrns, dedup, definePipeline, fileSink, mapToProposals, mapUser, mlflowSource, validate,
} from 'mlflow-datahub';

export default definePipeline({
  source: mlflowSource({ uri: ${JSON.stringify(uri)} }),
  operators: [
    mapUser((user) => (user === 'ada' ? ${JSON.stringify(OWNER)} : undefined)),
    buildUrns(),
    mapToProposals({
      aliasTags: true,
      datasetLineage: 'source',
      loggedModels: true,
      materializeDatasetInputs: true,
      modelFeatures: true,
    }),
    addTags({ tags: [${JSON.stringify(GOLD_TAG)}], entityTypes: ['mlModel'] }),
    dedup(),
    validate(),
  ],
  sinks: [fileSink({ path: 'replaced.json' })],
});
`;
}
